"""Turns at heavy work in the server: few at once, visitors in order, and a place in line."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab import devices
from cnnlab.errors import CnnLabError
from pages.components import state

# Somebody who waits is asked so often whether they are still there: a page that was left, or moved
# on to another picture, ends there.
ASK_S = 0.15
# Everybody in a class of thirty, twice.
LONGEST = 60


class BusyError(CnnLabError):
    """So many wait that one more would not be served in time."""


@dataclass(eq=False)
class _Ticket:
    visitor: str


class Turns:
    """Lets `at_once` threads work at a time, one for each visitor, in the order in which they came.

    A thread that works may ask again; it goes on at once.
    """

    def __init__(self, at_once: int, longest: int = LONGEST) -> None:
        self._at_once, self._longest = at_once, longest
        self._line: list[_Ticket] = []
        self._working: list[_Ticket] = []
        self._changed = threading.Condition()
        self._own = threading.local()

    @contextmanager
    def turn(self, visitor: str, waiting: Callable[[int], None]) -> Iterator[None]:
        """Wait for a turn and hold it; `waiting` is told the place in line, again and again.

        What it raises gives the place up. Raises: BusyError when the line is full.
        """
        if getattr(self._own, "works", False):
            yield
            return
        ticket = _Ticket(visitor)
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
            self._line.remove(ticket)
            self._working.append(ticket)
            return True

    def _next(self) -> _Ticket | None:
        if len(self._working) >= self._at_once:
            return None
        busy = {ticket.visitor for ticket in self._working}
        return next((ticket for ticket in self._line if ticket.visitor not in busy), None)

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
def own_turn() -> Iterator[None]:
    """A turn for the visitor of this page, who sees the place in line while waiting for it.

    Raises: BusyError when the line is full.
    """
    lines: list[DeltaGenerator] = []

    def say(place: int) -> None:
        # Where the reader has asked for something else, Streamlit ends the script here.
        if not lines:
            lines.append(st.empty())
        lines[0].caption(f":material/hourglass: The server is busy. Your place in line: {place}.")

    with of_server().turn(state.visitor(), say):
        for line in lines:
            line.empty()
        yield
