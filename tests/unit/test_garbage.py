"""Garbage is collected once for all who ask at once, and never forgotten."""

import ast
import gc
import inspect
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from streamlit.runtime.scriptrunner import script_runner

from pages.components import garbage, left_tabs
from pages.components.garbage import Seldom
from tests.waiting import wait_until


def test_who_asks_at_once_has_it_collected_once_and_once_afterwards() -> None:
    collected: list[float] = []
    seldom = Seldom(0.2, lambda: collected.append(time.monotonic()))
    for _ in range(30):
        seldom.collect(2)
    assert len(collected) == 1, "the first is not made to wait"
    wait_until(lambda: len(collected) == 2, 10)
    time.sleep(0.3)
    assert len(collected) == 2, "nobody has asked since"
    assert collected[1] - collected[0] >= 0.2
    seldom.collect()
    assert len(collected) == 3


def test_it_takes_a_small_share_of_the_time_however_long_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(garbage, "SHARE", 0.2)
    begun: list[float] = []
    ended: list[float] = []

    def collect() -> None:
        begun.append(time.monotonic())
        if len(begun) == 1:
            # Somebody asks meanwhile: what they left may have been walked past already.
            seldom.collect()
        time.sleep(0.1)
        ended.append(time.monotonic())

    seldom = Seldom(0.0, collect)
    seldom.collect()
    wait_until(lambda: len(ended) == 2)
    assert begun[1] - ended[0] >= (ended[0] - begun[0]) / 0.2


def test_one_collection_at_a_time() -> None:
    begun, goes_on = threading.Semaphore(0), threading.Event()

    def collect() -> None:
        begun.release()
        assert goes_on.wait(20)

    seldom = Seldom(0.0, collect)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(seldom.collect)
        assert begun.acquire(timeout=20)
        # Nobody waits for it, and nobody's is forgotten.
        pool.submit(seldom.collect).result(20)
        assert not begun.acquire(blocking=False)
        goes_on.set()
        first.result(20)
    assert begun.acquire(timeout=20)


def test_after_one_that_failed_it_goes_on() -> None:
    begun: list[int] = []

    def collect() -> None:
        begun.append(1)
        if len(begun) == 1:
            raise OSError("no such thing")

    seldom = Seldom(0.0, collect)
    with pytest.raises(OSError, match="thing"):
        seldom.collect()
    seldom.collect()
    wait_until(lambda: len(begun) == 2)


def test_streamlit_collects_by_the_name_that_we_replace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_runner, "gc", gc)
    garbage.collect_seldom()
    assert isinstance(vars(script_runner)["gc"], Seldom)
    used = {
        node.attr
        for node in ast.walk(ast.parse(inspect.getsource(script_runner)))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "gc"
    }
    assert used == {"collect"}, "it stands in for nothing else"


def test_what_is_left_is_tidied_up_soon_although_it_takes_a_while() -> None:
    """The last of a class leaves while it is tidied up after the first."""
    begun: list[float] = []

    def tidy() -> None:
        begun.append(time.monotonic())
        time.sleep(0.1)

    tidying = Seldom(0.05, tidy, left_tabs.SHARE)
    tidying.collect()
    tidying.collect()
    wait_until(lambda: len(begun) == 2)
    assert begun[1] - begun[0] >= 0.1 / left_tabs.SHARE
    assert left_tabs.SHARE >= 10 * garbage.SHARE


def test_a_thread_that_cannot_be_had_is_not_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[int] = []
    seldom = Seldom(0.05, lambda: collected.append(1))
    seldom.collect()

    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Timer, "start", none_left)
        seldom.collect()
    assert len(collected) == 1
    seldom.collect()
    wait_until(lambda: len(collected) == 2)
