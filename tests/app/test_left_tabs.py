"""A tab that is closed leaves nothing behind, and one that comes back is as it was."""

import asyncio
import gc
import threading
import time
from collections.abc import Callable

import pytest
import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import StopException

from cnnlab import allocator, forgetting
from pages.components import frame, left_tabs
from pages.components.garbage import Seldom
from tests.waiting import wait_until


class Runtime:
    """A server with sessions that are open, and those that it was told to end."""

    def __init__(self, *open_: str) -> None:
        self.open, self.ended = {*open_}, list[str]()

    def is_active_session(self, session: str) -> bool:
        return session in self.open

    def close_session(self, session: str) -> None:
        self.ended.append(session)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Runtime:
    found = Runtime()
    monkeypatch.setattr(left_tabs, "KEPT_S", 0.05)
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: found)
    return found


@pytest.fixture
def tidied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done after sessions have ended, and in which thread; nothing was done before."""
    done: list[str] = []

    def note(what: str) -> None:
        where = "server's" if threading.current_thread() is threading.main_thread() else "another"
        done.append(f"{what} in {where} thread")

    monkeypatch.setattr(forgetting, "forget", lambda unused_s: note(f"forget {unused_s}"))
    monkeypatch.setattr(gc, "collect", lambda: note("collect"))
    monkeypatch.setattr(allocator, "give_back", lambda: note("give back"))
    monkeypatch.setattr(left_tabs, "_tidying", Seldom(0.5, left_tabs._tidy))
    # Other tests have left their tabs open.
    monkeypatch.setattr(left_tabs, "_room", left_tabs.Room())
    return done


async def leave(session: str, meanwhile: Callable[[], object]) -> None:
    left_tabs.left(session)
    meanwhile()
    await asyncio.sleep(0.1)


def test_a_closed_tab_is_ended_after_a_while(server: Runtime) -> None:
    asyncio.run(leave("ann", lambda: None))
    assert server.ended == ["ann"]


def test_a_tab_that_comes_back_stays(server: Runtime) -> None:
    asyncio.run(leave("ann", lambda: server.open.add("ann")))
    assert server.ended == []


def test_nothing_is_done_at_once(server: Runtime) -> None:
    asyncio.run(leave("ann", lambda: pytest.fail("too soon") if server.ended else None))


@pytest.mark.usefixtures("server")
def test_what_only_they_had_asked_for_is_given_back(tidied: list[str]) -> None:
    asyncio.run(leave("ann", lambda: None))
    assert tidied == [
        "forget 0.05 in another thread",
        "collect in another thread",
        "give back in another thread",
    ]


def test_a_class_that_leaves_is_tidied_up_after_once_and_once_in_the_end(
    server: Runtime, tidied: list[str]
) -> None:
    class_ = [f"tab {number}" for number in range(30)]

    def all_leave() -> None:
        for tab in class_:
            left_tabs.left(tab)

    asyncio.run(leave("ann", all_leave))
    assert server.ended == ["ann", *class_]
    wait_until(lambda: len(tidied) == 6)
    time.sleep(0.1)
    assert len(tidied) == 6


def test_without_a_server_there_is_nothing_to_end() -> None:
    left_tabs.left("ann")


def test_a_tab_that_drops_twice_has_its_time_twice(
    server: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_tabs, "KEPT_S", 0.4)

    async def drops_and_comes_back() -> None:
        left_tabs.left("ann")
        await asyncio.sleep(0.2)
        left_tabs.left("ann")
        await asyncio.sleep(0.3)
        assert server.ended == [], "half a second after the first, 0.3 after the second"
        await asyncio.sleep(0.4)

    asyncio.run(drops_and_comes_back())
    assert server.ended == ["ann"]
    assert not left_tabs._waiting


def test_a_class_that_listens_finds_what_it_had_when_one_leaves(
    server: Runtime, tidied: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    room = left_tabs.Room()
    monkeypatch.setattr(left_tabs, "_room", room)
    for number in range(10):
        room.enter(f"tab {number}")
    asyncio.run(leave("tab 0", lambda: None))
    wait_until(lambda: len(tidied) == 3)
    assert tidied[0] == "forget 600.0 in another thread"
    for number in range(1, 5):
        room.leave(f"tab {number}")
    assert room.is_left
    for number in range(5, 10):
        room.leave(f"tab {number}")
    room.enter("the next class")
    assert not room.is_left
    assert server.ended == ["tab 0"]


def test_a_tab_that_is_closed_while_it_stands_in_line_is_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched: list[bool] = []

    def closed(*_: object) -> None:
        raise StopException

    monkeypatch.setattr(left_tabs, "watch", lambda: watched.append(True))
    for name in ("set_page_config", "html"):
        monkeypatch.setattr(st, name, lambda *_, **__: None)
    monkeypatch.setattr(st, "navigation", closed)
    with pytest.raises(StopException):
        frame.show()
    assert watched
