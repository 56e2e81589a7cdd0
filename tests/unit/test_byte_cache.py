"""The cache that is bounded by memory."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pages.components.byte_cache import ByteCache


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
