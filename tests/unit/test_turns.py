"""Turns at heavy work: few at once, one for each visitor, in order, and nobody waits for ever."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest

from pages.components import state
from pages.components import turns as turns_module
from pages.components.byte_cache import ByteCache
from pages.components.turns import LONG_S, BusyError, Turns
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

    def send(self, visitor: str, task: str, seconds: float = 0.0) -> "Future[None]":
        return self.pool.submit(self._work, visitor, task, seconds)

    def end(self, task: str) -> None:
        self._may_end[task].set()

    def has_begun(self, count: int) -> bool:
        return len(self.begun) >= count

    def is_here(self, task: str) -> bool:
        return task in self.begun or task in self.places

    def _work(self, visitor: str, task: str, seconds: float) -> None:
        def waiting(place: int) -> None:
            self.places[task] = place
            if task in self.left:
                raise Gone

        with self.turns.turn(visitor, waiting, seconds):
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
    """Send one after the other; each is at work or in line before the next comes.

    A task in capital letters is expected to be long.
    """
    sent = []
    for visitor, name in tasks:
        task = name.lower()
        sent.append(room.send(visitor, task, 0.0 if task == name else 2 * LONG_S))
        wait_until(partial(room.is_here, task))
    return sent


def end_in_order(room: Room, tasks: str) -> None:
    """End each as soon as it has begun, one after the other in this order."""
    for number, task in enumerate(tasks):
        wait_until(partial(room.has_begun, number + 1))
        assert room.begun == [*tasks[: number + 1]]
        room.end(task)


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


def test_short_passes_go_before_long_ones(pool: ThreadPoolExecutor) -> None:
    room = Room(Turns(at_once=1), pool)
    tasks = [("ann", "a"), ("bob", "B"), ("cyd", "C"), ("dan", "d"), ("eve", "e")]
    sent = begin_in_order(room, *tasks)
    end_in_order(room, "adebc")
    for one in sent:
        one.result(20)


def test_nobody_is_overtaken_for_ever(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_module, "PATIENCE", 2)
    room = Room(Turns(at_once=1), pool)
    tasks = [("ann", "a"), ("bob", "B"), ("cyd", "c"), ("dan", "d"), ("eve", "e"), ("fay", "F")]
    sent = begin_in_order(room, *tasks)
    end_in_order(room, "acdbef")
    for one in sent:
        one.result(20)


def test_one_place_is_kept_free_for_short_passes(pool: ThreadPoolExecutor) -> None:
    room = Room(Turns(at_once=2), pool)
    sent = begin_in_order(room, ("ann", "A"), ("bob", "B"), ("cyd", "c"))
    wait_until(lambda: room.begun == ["a", "c"])
    room.end("c")
    sent += begin_in_order(room, ("dan", "d"))
    assert room.begun == ["a", "c", "d"], "it does not wait behind the long one"
    room.end("a")
    wait_until(lambda: room.begun == ["a", "c", "d", "b"])
    room.end("b")
    room.end("d")
    for one in sent:
        one.result(20)


def test_with_one_place_long_passes_have_it_too(pool: ThreadPoolExecutor) -> None:
    room = Room(Turns(at_once=1), pool)
    (sent,) = begin_in_order(room, ("ann", "A"))
    wait_until(lambda: room.begun == ["a"])
    room.end("a")
    sent.result(20)


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
    cache: ByteCache[bytes] = ByteCache(10, len, lambda seconds: turns.turn("ann", never, seconds))
    cache.get("a", lambda: b"12")
    with turns.turn("bob", never):
        found = pool.submit(cache.get, "a", lambda: b"made anew")
        assert found.result(20) == b"12"


def test_who_waits_for_what_another_makes_takes_no_turn(pool: ThreadPoolExecutor) -> None:
    turns, own, begun, goes_on = Turns(2), threading.local(), threading.Event(), threading.Event()
    cache: ByteCache[bytes] = ByteCache(
        10, len, lambda seconds: turns.turn(own.name, lambda _: None, seconds)
    )

    def make() -> bytes:
        begun.set()
        assert goes_on.wait(20)
        return b"12"

    def ask(name: str) -> bytes:
        own.name = name
        return cache.get("a", make)

    asking = [pool.submit(ask, "ann")]
    assert begun.wait(20)
    asking += [pool.submit(ask, name) for name in ("bob", "cyd", "dan")]
    # They get as far as they can; whoever wants something else has the other place.
    time.sleep(0.1)
    takes_a_turn(turns)
    goes_on.set()
    assert [one.result(20) for one in asking] == [b"12"] * 4


def takes_a_turn(turns: Turns) -> None:
    begin_s = time.monotonic()

    def waiting(_place: int) -> None:
        assert time.monotonic() < begin_s + 20

    with turns.turn("eve", waiting):
        pass


def test_what_one_makes_of_what_another_asks_for_too(pool: ThreadPoolExecutor) -> None:
    """Maps need weights: whoever has the turn is not kept waiting by who waits for it."""
    turns, waits = Turns(1), threading.Event()
    weights, maps = (
        ByteCache[bytes](10, len, lambda seconds: turns.turn("ann", lambda _: waits.set(), seconds))
        for _ in range(2)
    )

    def look() -> bytes:
        second = pool.submit(weights.get, "w", lambda: b"second")
        assert waits.wait(20)
        both.append(second)
        return weights.get("w", lambda: b"first")

    both: list[Future[bytes]] = []
    assert pool.submit(maps.get, "m", look).result(20) == b"first"
    assert both[0].result(20) == b"first"


def test_a_page_says_how_long_its_pass_will_take(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(Turns(at_once=2), pool)
    monkeypatch.setattr(turns_module, "of_server", lambda: room.turns)
    monkeypatch.setattr(state, "visitor", lambda: "ann")
    with turns_module.own_turn(2 * LONG_S):
        sent = begin_in_order(room, ("bob", "A"), ("cyd", "b"))
        assert room.begun == ["b"], "there is one place for long ones, and it is taken"
        room.end("b")
    room.end("a")
    for one in sent:
        one.result(20)
