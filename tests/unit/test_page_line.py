"""Pages in line: one after the other, nobody behind a slow one, and nobody waits for ever."""

import ctypes
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest
from streamlit.runtime.scriptrunner_utils.exceptions import StopException

from pages.components import page_line, state, turns
from pages.components.byte_cache import ByteCache
from pages.components.page_line import PageLine
from tests.waiting import wait_until

# No test takes that long.
FOR_EVER_S = 60.0
PATIENCE_S = 20


class Room:
    """Readers whose pages are drawn until they are told to end."""

    def __init__(self, line: PageLine, pool: ThreadPoolExecutor) -> None:
        self.line, self.pool = line, pool
        self.begun: list[str] = []
        self.threads: dict[str, int] = {}
        self._may_end = {name: threading.Event() for name in "abcdef"}

    def send(self, page: str) -> "Future[None]":
        """Begin to draw a page; it is drawn or in line before this returns."""
        ahead = self.in_line
        sent = self.pool.submit(self._draw, page)
        wait_until(lambda: page in self.begun or self.in_line > ahead)
        return sent

    def has_begun(self, count: int) -> bool:
        return len(self.begun) >= count

    @property
    def in_line(self) -> int:
        return len(self.line._line)

    def end(self, *pages: str) -> None:
        for page in pages:
            self._may_end[page].set()

    def waits(self, page: str) -> None:
        assert self._may_end[page].wait(PATIENCE_S)

    def _draw(self, page: str) -> None:
        self.threads[page] = threading.get_ident()
        with self.line.drawing():
            self.begun.append(page)
            self.waits(page)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_one_page_after_the_other_in_the_order_in_which_they_came(pool: ThreadPoolExecutor) -> None:
    room = Room(PageLine(FOR_EVER_S), pool)
    sent = [room.send(page) for page in "abcd"]
    for number, page in enumerate("abcd"):
        wait_until(partial(room.has_begun, number + 1))
        time.sleep(0.02)
        assert room.begun == [*"abcd"[: number + 1]]
        room.end(page)
    for one in sent:
        one.result(PATIENCE_S)


def test_thirty_at_once_are_one_at_a_time_and_nobody_is_forgotten() -> None:
    line, together = PageLine(FOR_EVER_S), threading.Barrier(30)
    drawing, most = [0], [0]

    def draw(_: int) -> None:
        together.wait(PATIENCE_S)
        for _again in range(5):
            with line.drawing():
                drawing[0] += 1
                most[0] = max(most[0], drawing[0])
                with line.drawing():
                    time.sleep(0)
                drawing[0] -= 1
                with line.aside():
                    time.sleep(0)

    with ThreadPoolExecutor(30) as pool:
        done = [pool.submit(draw, number) for number in range(30)]
        for one in done:
            one.result(PATIENCE_S)
    assert most == [1]


def test_beside_a_slow_page_the_next_begins(pool: ThreadPoolExecutor) -> None:
    lease_s = 0.2
    room = Room(PageLine(lease_s), pool)
    begin_s = time.monotonic()
    slow = room.send("a")
    beside = room.send("b")
    wait_until(lambda: room.begun == ["a", "b"])
    b_s = time.monotonic()
    assert b_s - begin_s >= lease_s
    # That the slow one ends gives nobody else's place away.
    room.end("a")
    slow.result(PATIENCE_S)
    last = room.send("c")
    wait_until(lambda: "c" in room.begun)
    assert time.monotonic() - begin_s >= 2 * lease_s
    room.end("b", "c")
    beside.result(PATIENCE_S)
    last.result(PATIENCE_S)


def test_the_place_of_another_is_not_given_up(pool: ThreadPoolExecutor) -> None:
    line = PageLine(0.05)
    room = Room(line, pool)
    slow = room.send("a")
    beside = room.send("b")
    wait_until(lambda: room.begun == ["a", "b"])
    line._lease_s = FOR_EVER_S
    third = room.send("c")
    wait_until(lambda: "c" in room.begun)
    room.end("a", "b")
    slow.result(PATIENCE_S)
    beside.result(PATIENCE_S)
    last = room.send("d")
    assert "d" not in room.begun
    room.end("c", "d")
    third.result(PATIENCE_S)
    last.result(PATIENCE_S)


def test_inside_a_turn_another_begins_at_once_and_frees_nothing(pool: ThreadPoolExecutor) -> None:
    room = Room(PageLine(FOR_EVER_S), pool)
    with room.line.drawing():
        with room.line.drawing():
            pass
        waiting = room.send("a")
        assert room.begun == []
        room.end("a")
    waiting.result(PATIENCE_S)


def test_aside_others_are_drawn_and_afterwards_one_is_first_in_line(
    pool: ThreadPoolExecutor,
) -> None:
    room = Room(PageLine(FOR_EVER_S), pool)
    away, returns = threading.Event(), threading.Event()

    def computes() -> None:
        with room.line.drawing():
            with room.line.aside(), room.line.aside():
                away.set()
                assert returns.wait(PATIENCE_S)
            room.begun.append("returned")

    page = pool.submit(computes)
    assert away.wait(PATIENCE_S)
    others = [room.send(page) for page in "ab"]
    wait_until(lambda: room.begun == ["a"])
    returns.set()
    wait_until(lambda: room.in_line == 2)
    assert room.begun == ["a"], "one at a time"
    room.end("a")
    wait_until(lambda: len(room.begun) == 3)
    assert room.begun == ["a", "returned", "b"]
    room.end("b")
    for one in (page, *others):
        one.result(PATIENCE_S)


def test_aside_does_nothing_where_no_page_is_drawn(pool: ThreadPoolExecutor) -> None:
    room = Room(PageLine(FOR_EVER_S), pool)
    page = room.send("a")
    with room.line.aside():
        assert room.begun == ["a"]
    # It has not got in line either.
    room.end("a")
    page.result(PATIENCE_S)


@pytest.mark.parametrize("error", [OSError, StopException, KeyboardInterrupt])
def test_what_fails_gives_its_place_up(
    error: type[BaseException], pool: ThreadPoolExecutor
) -> None:
    room = Room(PageLine(FOR_EVER_S), pool)
    with pytest.raises(error), room.line.drawing():
        raise error
    room.end("a")
    room.send("a").result(PATIENCE_S)


def test_a_script_that_ends_aside_does_not_wait_for_a_place(pool: ThreadPoolExecutor) -> None:
    room = Room(PageLine(FOR_EVER_S), pool)

    def superseded() -> None:
        with room.line.drawing(), room.line.aside():
            room.send("a")
            raise StopException

    with pytest.raises(StopException):
        pool.submit(superseded).result(PATIENCE_S)
    assert room.begun == ["a"], "which is being drawn still"
    last = room.send("b")
    assert room.begun == ["a"], "nor did it give that place away"
    room.end("a", "b")
    last.result(PATIENCE_S)


def test_a_page_that_says_what_went_wrong_aside_is_drawn_in_line(pool: ThreadPoolExecutor) -> None:
    room = Room(PageLine(FOR_EVER_S), pool)

    def fails() -> None:
        with room.line.drawing():
            try:
                with room.line.aside():
                    room.send("a")
                    raise OSError("no such file")
            except OSError:
                room.begun.append("error")

    page = pool.submit(fails)
    wait_until(lambda: room.in_line == 1)
    assert room.begun == ["a"]
    room.end("a")
    page.result(PATIENCE_S)
    assert room.begun == ["a", "error"]


class Killed(BaseException):
    """A thread that ends where nobody expects it."""


def test_a_thread_that_dies_in_line_costs_a_lease(pool: ThreadPoolExecutor) -> None:
    room = Room(PageLine(1.0), pool)
    holder = room.send("a")
    dead = room.send("b")
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(room.threads["b"]), ctypes.py_object(Killed)
    )
    last = [room.send(page) for page in "cd"]
    wait_until(lambda: room.begun == ["a", "c", "d"])
    assert room.in_line == 0, "the dead one costs a lease once"
    with pytest.raises(Killed):
        dead.result(PATIENCE_S)
    room.end("a", "c", "d")
    for one in (holder, *last):
        one.result(PATIENCE_S)


def test_who_waits_for_a_turn_or_for_what_another_makes_holds_up_no_page(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(PageLine(FOR_EVER_S), pool)
    monkeypatch.setattr(page_line, "of_server", lambda: room.line)
    monkeypatch.setattr(state, "visitor", lambda: "ann")
    cache: ByteCache[bytes] = ByteCache(10, len)

    def computes() -> None:
        with room.line.drawing():
            with turns.own_turn(1.0):
                room.send("a")
                wait_until(lambda: room.begun == ["a"])
                room.end("a")
            cache.get("slow", slow)

    def slow() -> bytes:
        with room.line.aside():
            asked = pool.submit(asks)
            wait_until(lambda: "asks" in room.begun)
            room.send("b")
            wait_until(lambda: "b" in room.begun)
            assert not asked.done(), "it waits, and others are drawn"
            room.end("b")
        return b"12"

    def asks() -> None:
        with room.line.drawing():
            room.begun.append("asks")
            assert cache.get("slow", lambda: pytest.fail("it is being made")) == b"12"

    pool.submit(computes).result(PATIENCE_S)
