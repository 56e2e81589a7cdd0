"""What nobody asks for any more is let go of, in all caches that visitors share."""

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cnnlab import forgetting, trace
from cnnlab.catalog import NETWORKS
from cnnlab.kept import Kept
from pages.components.byte_cache import ByteCache

Cache = Kept[bytes] | ByteCache[bytes]


class Clock:
    """A clock that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now_s)


def caches() -> list[Cache]:
    return [Kept[bytes](100, len), ByteCache[bytes](100, len)]


def test_what_was_not_asked_for_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, both = Clock(monkeypatch), caches()
    for cache in both:
        for key in "abc":
            cache.get(key, lambda: b"12")
    clock.now_s += 40
    for cache in both:
        cache.get("a", lambda: pytest.fail("it is kept"))
        assert "b" in cache, "to look whether it is there is not to ask for it"
    clock.now_s += 5
    forgetting.forget(45)
    for cache in both:
        assert [key for key in "abc" if key in cache] == ["a"]
        assert cache.get("b", lambda: b"made anew") == b"made anew"


def test_what_took_long_to_make_is_not_old(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, both = Clock(monkeypatch), caches()

    def make() -> bytes:
        clock.now_s += 60
        # Nor is it let go of before it is there.
        forgetting.forget(45)
        return b"12"

    for cache in both:
        cache.get("a", make)
        forgetting.forget(45)
        assert "a" in cache


def test_what_is_being_made_is_made_once_nevertheless() -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def make() -> bytes:
        begun.set()
        assert goes_on.wait(20)
        return b"12"

    for cache in caches():
        begun.clear()
        goes_on.clear()
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(cache.get, "a", make)
            assert begun.wait(20)
            forgetting.forget(0)
            second = pool.submit(cache.get, "a", lambda: b"made twice")
            goes_on.set()
            assert (first.result(20), second.result(20)) == (b"12", b"12")


def test_traces_are_among_it() -> None:
    spec = NETWORKS["lenet"]
    asked = spec, spec.presets["small"], spec.preset_image_size("small")
    found = trace.trace_of(*asked)
    assert trace.trace_of(*asked) is found
    forgetting.forget(0)
    assert trace.trace_of(*asked) is not found


def test_a_cache_that_is_gone_is_not_held() -> None:
    cache = ByteCache[bytes](100, len)
    before = len(forgetting._caches)
    del cache
    gc.collect()
    assert len(forgetting._caches) < before
