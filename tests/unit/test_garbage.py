"""Garbage is collected once for all who ask at once, and never forgotten."""

import ast
import gc
import inspect
import time

import pytest
from streamlit.runtime.scriptrunner import script_runner

from pages.components import garbage
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
