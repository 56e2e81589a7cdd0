"""Turns at heavy work in the server: few at once, the short first, and a place in line."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab import devices
from cnnlab.errors import CnnLabError
from pages.components import page_line, state

# Somebody who waits is asked so often whether they are still there: a page that was left, or moved
# on to another picture, ends there.
ASK_S = 0.15
# Everybody in a class of thirty, twice.
LONGEST = 60
# A pass that takes longer is one for which a reader expects to wait.
LONG_S = 0.1
# What takes passes by the dozen.
A_WHILE_S = 1.0
# So many may go before somebody who came earlier.
PATIENCE = 10


class BusyError(CnnLabError):
    """So many wait that one more would not be served in time."""


@dataclass(eq=False)
class _Ticket:
    visitor: str
    is_long: bool
    overtaken: int = 0


class Turns:
    """Lets `at_once` threads work at a time, one for each visitor, in the order in which they came.

    Short passes go before long ones, and one of several places is kept free for them. A thread that
    works may ask again; it goes on at once.
    """

    def __init__(self, at_once: int, longest: int = LONGEST) -> None:
        self._at_once, self._longest = at_once, longest
        self._line: list[_Ticket] = []
        self._working: list[_Ticket] = []
        self._changed = threading.Condition()
        self._own = threading.local()

    @contextmanager
    def turn(
        self, visitor: str, waiting: Callable[[int], None], seconds: float = 0.0
    ) -> Iterator[None]:
        """Wait for a turn and hold it; `waiting` is told the place in line, again and again.

        What it raises gives the place up. `seconds` is how long the work is expected to take.
        Raises: BusyError when the line is full.
        """
        if getattr(self._own, "works", False):
            yield
            return
        ticket = _Ticket(visitor, is_long=seconds > LONG_S)
        self._stand_in_line(ticket)
        try:
            while not self._begins(ticket):
                waiting(self._place(ticket))
            self._own.works = True
            try:
                yield
            finally:
                self._own.works = False
        finally:
            self._leave(ticket)

    def _stand_in_line(self, ticket: _Ticket) -> None:
        with self._changed:
            if len(self._line) >= self._longest:
                raise BusyError(
                    f"{self._longest} others wait for the server to compute something for them. "
                    "Try again in a minute."
                )
            self._line.append(ticket)

    def _begins(self, ticket: _Ticket) -> bool:
        """Whether it is the ticket's turn, now or after a moment."""
        with self._changed:
            if self._next() is not ticket:
                self._changed.wait(ASK_S)
            if self._next() is not ticket:
                return False
            ready = self._ready()
            for other in ready[: ready.index(ticket)]:
                other.overtaken += 1
            self._line.remove(ticket)
            self._working.append(ticket)
            # Another, who has looked before, may be next now.
            if self._next():
                self._changed.notify_all()
            return True

    def _next(self) -> _Ticket | None:
        ready = self._ready()
        patient = (ticket for ticket in ready if ticket.overtaken >= PATIENCE)
        short = (ticket for ticket in ready if not ticket.is_long)
        return next(chain(patient, short, ready), None)

    def _ready(self) -> list[_Ticket]:
        """Those in line who could begin now, in the order in which they came."""
        if len(self._working) >= self._at_once:
            return []
        busy = {ticket.visitor for ticket in self._working}
        long = sum(ticket.is_long for ticket in self._working)
        may_be_long = long < max(1, self._at_once - 1)
        return [
            ticket
            for ticket in self._line
            if ticket.visitor not in busy and (may_be_long or not ticket.is_long)
        ]

    def _place(self, ticket: _Ticket) -> int:
        with self._changed:
            return self._line.index(ticket) + 1

    def _leave(self, ticket: _Ticket) -> None:
        with self._changed:
            for place in (self._line, self._working):
                if ticket in place:
                    place.remove(ticket)
            self._changed.notify_all()


@st.cache_resource(show_spinner=False)
def of_server() -> Turns:
    """The turns of all visitors: as many at once as there are cores."""
    return Turns(devices.usable_cores())


@contextmanager
def own_turn(seconds: float = 0.0) -> Iterator[None]:
    """A turn for the visitor of this page, who sees the place in line while waiting for it.

    Other pages are drawn meanwhile. `seconds` is how long the work is expected to take.
    Raises: BusyError when the line is full.
    """
    lines: list[DeltaGenerator] = []
    said = 0

    def say(place: int) -> None:
        nonlocal said
        state.end_if_superseded()
        if place == said:
            return
        said = place
        if not lines:
            lines.append(st.empty())
        lines[0].caption(f":material/hourglass: The server is busy. Your place in line: {place}.")

    with page_line.of_server().aside(), of_server().turn(state.visitor(), say, seconds):
        for line in lines:
            line.empty()
        yield
