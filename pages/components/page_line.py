"""Pages are drawn in line: thirty that are drawn at once all end at the end."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

# Most pages take less; one that takes longer does not hold up everybody.
LEASE_S = 0.25


@dataclass(eq=False)
class _Ticket:
    called: threading.Condition
    # From a heavy pass, in the middle of a page.
    returns: bool


class _Own(threading.local):
    ticket: _Ticket | None = None


class PageLine:
    """Lets one thread draw at a time, in the order in which they came.

    After `lease_s` the next begins beside it: nobody waits longer for each page ahead, whatever
    becomes of the threads that draw or wait.
    """

    def __init__(self, lease_s: float = LEASE_S) -> None:
        self._lease_s = lease_s
        self._line: list[_Ticket] = []
        self._holder: _Ticket | None = None
        # When the first in line may begin; each of the others a lease after the one ahead.
        self._free_at_s = 0.0
        self._access = threading.Lock()
        self._own = _Own()

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Wait for the turn and hold it; a thread that draws already goes on at once."""
        if self._own.ticket is not None:
            yield
            return
        self._begin(returns=False)
        try:
            yield
        finally:
            self._end()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Give the place up for what needs no interpreter, and get in line again, at the front.

        Nothing happens in a thread that is not drawing.
        """
        if self._own.ticket is None:
            yield
            return
        self._end()
        try:
            yield
        except Exception:
            # The page says what went wrong. What ends a script in Streamlit is no `Exception`, and
            # has nothing to draw.
            self._begin(returns=True)
            raise
        self._begin(returns=True)

    def _begin(self, *, returns: bool) -> None:
        # Each has its own to be called by: waking all of them is what the line avoids.
        ticket = _Ticket(threading.Condition(self._access), returns)
        with self._access:
            ahead = [one for one in self._line if one.returns or not returns]
            self._line.insert(len(ahead), ticket)
            while (rest_s := self._rest_s(ticket)) > 0:
                ticket.called.wait(rest_s)
            self._take(ticket)
        self._own.ticket = ticket

    def _rest_s(self, ticket: _Ticket) -> float:
        """How long the ticket has to wait at most as things stand."""
        if ticket not in self._line:
            return 0
        ahead = self._line.index(ticket)
        return self._free_at_s + ahead * self._lease_s - time.monotonic()

    def _take(self, ticket: _Ticket) -> None:
        if ticket in self._line:
            # Who is still ahead did not come in time. They are not waited for again, and draw
            # beside the others should they come.
            del self._line[: self._line.index(ticket) + 1]
            self._holder, self._free_at_s = ticket, time.monotonic() + self._lease_s

    def _end(self) -> None:
        ticket, self._own.ticket = self._own.ticket, None
        with self._access:
            # Where the lease is over, the place is another's.
            if ticket is not None and self._holder is ticket:
                self._holder, self._free_at_s = None, time.monotonic()
                if self._line:
                    # Given here and not taken there: until that thread runs, others could take it.
                    first = self._line[0]
                    self._take(first)
                    first.called.notify()


@st.cache_resource(show_spinner=False)
def of_server() -> PageLine:
    """The line in which all visitors' pages are drawn."""
    return PageLine()
