"""Turns at heavy work: few at once, one for each visitor, in order, and nobody waits for ever."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest

from pages.components.byte_cache import ByteCache
from pages.components.turns import BusyError, Turns
from tests.waiting import wait_until


class Gone(Exception):
    """What Streamlit raises in a script whose page has moved on, as it were."""


class Room:
    """Visitors who work until they are told to stop."""

    def __init__(self, turns: Turns, pool: ThreadPoolExecutor) -> None:
        self.turns, self.pool = turns, pool
        self.begun: list[str] = []
        self.places: dict[str, int] = {}
        self.left: set[str] = set()
        self.most = self.working = 0
        self._may_end = {name: threading.Event() for name in "abcdefgh"}
        self._lock = threading.Lock()

    def send(self, visitor: str, task: str) -> "Future[None]":
        return self.pool.submit(self._work, visitor, task)

    def end(self, task: str) -> None:
        self._may_end[task].set()

    def is_here(self, task: str) -> bool:
        return task in self.begun or task in self.places

    def _work(self, visitor: str, task: str) -> None:
        def waiting(place: int) -> None:
            self.places[task] = place
            if task in self.left:
                raise Gone

        with self.turns.turn(visitor, waiting):
            with self._lock:
                self.begun.append(task)
                self.working += 1
                self.most = max(self.most, self.working)
            assert self._may_end[task].wait(20)
            with self._lock:
                self.working -= 1


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def begin_in_order(room: Room, *tasks: tuple[str, str]) -> list["Future[None]"]:
    """Send one after the other; each is at work or in line before the next comes."""
    sent = []
    for visitor, task in tasks:
        sent.append(room.send(visitor, task))
        wait_until(partial(room.is_here, task))
    return sent


def test_only_so_many_at_once_in_the_order_in_which_they_came(pool: ThreadPoolExecutor) -> None:
    room = Room(Turns(at_once=2), pool)
    sent = begin_in_order(room, ("ann", "a"), ("bob", "b"), ("cyd", "c"), ("dan", "d"))
    wait_until(lambda: room.places.get("d") == 2)
    assert room.begun == ["a", "b"]
    room.end("b")
    wait_until(lambda: room.begun == ["a", "b", "c"])
    for task in "acd":
        room.end(task)
    for one in sent:
        one.result(20)
    assert room.begun == ["a", "b", "c", "d"]
    assert room.most == 2


def test_six_presses_of_a_key_are_one_pass_at_a_time(pool: ThreadPoolExecutor) -> None:
    """And those that the page has moved on from are never computed."""
    room = Room(Turns(at_once=2), pool)
    presses = begin_in_order(room, *(("ann", task) for task in "abcdef"))
    other = room.send("bob", "g")
    # Whoever has nothing under way goes before somebody's second.
    wait_until(lambda: "g" in room.begun)
    assert room.begun == ["a", "g"]
    room.left |= set("bcde")
    for press in presses[1:5]:
        with pytest.raises(Gone):
            press.result(20)
    for task in "afg":
        room.end(task)
    for one in (presses[0], presses[5], other):
        one.result(20)
    assert room.begun == ["a", "g", "f"]


def test_a_line_that_is_too_long_is_said_so(pool: ThreadPoolExecutor) -> None:
    room = Room(Turns(at_once=1, longest=2), pool)
    sent = begin_in_order(room, ("ann", "a"), ("bob", "b"), ("cyd", "c"))
    with pytest.raises(BusyError, match="2 others wait"):
        room.send("dan", "d").result(20)
    for task in "abc":
        room.end(task)
    for one in sent:
        one.result(20)


def never(_place: int) -> None:
    pytest.fail("nobody is in the way")


def test_what_fails_gives_its_turn_back() -> None:
    turns = Turns(at_once=1)
    with pytest.raises(OSError, match="broken"), turns.turn("ann", never):
        raise OSError("broken")
    # Inside a turn another begins at once.
    with turns.turn("bob", never), turns.turn("bob", never):
        pass


def test_what_is_kept_needs_no_turn(pool: ThreadPoolExecutor) -> None:
    turns = Turns(at_once=1)
    cache: ByteCache[bytes] = ByteCache(10, len, lambda: turns.turn("ann", never))
    cache.get("a", lambda: b"12")
    with turns.turn("bob", never):
        found = pool.submit(cache.get, "a", lambda: b"made anew")
        assert found.result(20) == b"12"
