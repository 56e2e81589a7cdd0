"""The cache that is bounded by memory."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext

import pytest

from pages.components import state
from pages.components.byte_cache import ByteCache
from pages.components.turns import Turns
from tests.waiting import wait_until


def test_what_was_not_asked_for_the_longest_is_dropped_first() -> None:
    cache: ByteCache[bytes] = ByteCache(10, len)
    for key in "ab":
        cache.get(key, lambda: b"1234")
    cache.get("a", lambda: pytest.fail("it is kept"))
    cache.get("c", lambda: b"1234")
    assert cache.used_bytes == 8
    assert cache.get("a", lambda: pytest.fail("it was asked for after b")) == b"1234"
    assert cache.get("b", lambda: b"made anew") == b"made anew"
    assert cache.used_bytes <= 10


def test_a_value_larger_than_the_cache_is_given_and_drops_nothing() -> None:
    cache: ByteCache[bytes] = ByteCache(10, len)
    cache.get("small", lambda: b"12")
    assert cache.get("large", lambda: bytes(11)) == bytes(11)
    assert cache.used_bytes == 2
    cache.get("small", lambda: pytest.fail("it is kept"))


def test_visitors_who_come_at_once_have_it_made_once() -> None:
    cache: ByteCache[bytes] = ByteCache(10, len)
    made, all_here = [], threading.Barrier(8, timeout=20)

    def make() -> bytes:
        made.append(1)
        return b"12"

    def ask(_: int) -> bytes:
        all_here.wait()
        return cache.get("a", make)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {b"12"}
    assert len(made) == 1


def test_a_failure_is_not_kept() -> None:
    cache: ByteCache[bytes] = ByteCache(10, len)

    def fail() -> bytes:
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        cache.get("a", fail)
    assert cache.get("a", lambda: b"12") == b"12"


class Slow:
    """Values that take until they are told to be done."""

    def __init__(self, cache: ByteCache[bytes], pool: ThreadPoolExecutor) -> None:
        self.cache, self.pool = cache, pool
        self.begun: list[str] = []
        self._may_end = {key: threading.Event() for key in "abc"}

    def ask(self, key: str) -> "Future[bytes]":
        return self.pool.submit(self.cache.get, key, lambda: self._make(key))

    def end(self, *keys: str) -> None:
        for key in keys:
            self._may_end[key].set()

    def _make(self, key: str) -> bytes:
        self.begun.append(key)
        assert self._may_end[key].wait(20)
        return key.encode()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_who_asks_for_another_value_is_not_held_up(pool: ThreadPoolExecutor) -> None:
    slow = Slow(ByteCache(10, len, at_once=2), pool)
    first = [slow.ask("a"), slow.ask("a")]
    wait_until(lambda: slow.begun == ["a"])
    other = slow.ask("b")
    wait_until(lambda: slow.begun == ["a", "b"])
    slow.end("b")
    assert other.result(20) == b"b"
    slow.end("a")
    assert [one.result(20) for one in first] == [b"a", b"a"]
    assert slow.begun == ["a", "b"]


def test_only_so_many_are_made_at_once_for_each_needs_memory(pool: ThreadPoolExecutor) -> None:
    slow = Slow(ByteCache(10, len), pool)
    asked = [slow.ask("a")]
    wait_until(lambda: slow.begun == ["a"])
    asked.append(slow.ask("b"))
    time.sleep(0.1)
    assert slow.begun == ["a"]
    slow.end("a", "b")
    assert [one.result(20) for one in asked] == [b"a", b"b"]


def test_who_waited_for_what_failed_makes_it(pool: ThreadPoolExecutor) -> None:
    cache: ByteCache[bytes] = ByteCache(10, len)
    begun, fails = threading.Event(), threading.Event()

    def fail() -> bytes:
        begun.set()
        assert fails.wait(20)
        raise OSError("no such file")

    first = pool.submit(cache.get, "a", fail)
    assert begun.wait(20)
    others = [pool.submit(cache.get, "a", lambda: b"12") for _ in range(3)]
    fails.set()
    with pytest.raises(OSError, match="no such file"):
        first.result(20)
    assert [one.result(20) for one in others] == [b"12"] * 3


def test_the_turn_is_told_how_long_it_will_take() -> None:
    told = []

    def turn(seconds: float) -> AbstractContextManager[None]:
        told.append(seconds)
        return nullcontext()

    cache: ByteCache[bytes] = ByteCache(10, len, turn)
    for _ in range(2):
        cache.get("a", lambda: b"12", 0.5)
    cache.get("b", lambda: b"12")
    assert told == [0.5, 0.0]


class Gone(BaseException):
    """What ends a script in Streamlit is no `Exception`."""


def test_who_waits_for_what_another_makes_can_leave(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise Gone

    slow = Slow(ByteCache(10, len), pool)
    first = slow.ask("a")
    wait_until(lambda: slow.begun == ["a"])
    monkeypatch.setattr(state, "end_if_superseded", gone)
    for key in "ab":
        with pytest.raises(Gone):
            slow.ask(key).result(20)
    slow.end("a", "b")
    assert first.result(20) == b"a"
    assert slow.ask("b").result(20) == b"b"


def test_a_turn_is_for_who_works(pool: ThreadPoolExecutor) -> None:
    """Not for who waits until another value of the same cache is made."""
    turns, visitor = Turns(2), threading.local()

    @contextmanager
    def own_turn(_seconds: float) -> Iterator[None]:
        visitor.name = getattr(visitor, "name", None) or str(threading.get_ident())
        with turns.turn(visitor.name, lambda _: None):
            yield

    slow = Slow(ByteCache(10, len, own_turn), pool)
    asked = [slow.ask("a")]
    wait_until(lambda: slow.begun == ["a"])
    asked.append(slow.ask("b"))
    other: ByteCache[bytes] = ByteCache(10, len, own_turn)
    assert pool.submit(other.get, "c", lambda: b"c").result(20) == b"c"
    assert slow.begun == ["a"]
    slow.end("a", "b")
    assert [one.result(20) for one in asked] == [b"a", b"b"]
