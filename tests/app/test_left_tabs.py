"""A tab that is closed leaves nothing behind, and one that comes back is as it was."""

import asyncio
from collections.abc import Callable

import pytest
from streamlit import runtime

from pages.components import left_tabs


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


def test_without_a_server_there_is_nothing_to_end() -> None:
    left_tabs.left("ann")
