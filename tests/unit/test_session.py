"""A tab without a browser: which of the server's messages answer what it asked."""

import asyncio
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks import session
from benchmarks.page_tree import Node
from benchmarks.session import Session, SessionLost

WHOLE, PART, CUT = (
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
    ForwardMsg.FINISHED_EARLY_FOR_RERUN,
)


class Socket:
    """A connection on which the test says what the server says."""

    def __init__(self) -> None:
        self.sent: list[BackMsg] = []
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()

    async def send(self, frame: bytes) -> None:
        self.sent.append(BackMsg.FromString(frame))

    def __aiter__(self) -> "Socket":
        return self

    async def __anext__(self) -> bytes:
        return await self._frames.get()

    async def close(self) -> None:
        pass

    def begins(self, *fragments: str) -> None:
        message = ForwardMsg()
        message.new_session.initialize.session_id = "tab"
        message.metadata.run.fragment_ids.extend(fragments)
        self._frames.put_nowait(message.SerializeToString())

    def ends(self, how: Any, *fragments: str) -> None:
        message = ForwardMsg(script_finished=how)
        message.metadata.run.fragment_ids.extend(fragments)
        self._frames.put_nowait(message.SerializeToString())

    def draws_each(self, fragment: str, seconds: float) -> None:
        message = ForwardMsg()
        message.auto_rerun.fragment_id, message.auto_rerun.interval = fragment, seconds
        self._frames.put_nowait(message.SerializeToString())


def box(fragment: str) -> Node:
    message = ForwardMsg()
    message.delta.new_element.checkbox.id = "$$ID-0123-box"
    return Node("checkbox", message.delta.new_element.checkbox, fragment, "")


def is_answered(fragment: str, *said: tuple[str, Any]) -> bool:
    """Whether a change in this part of the page is answered by what the server says."""

    async def ask() -> bool:
        socket: Any = Socket()
        tab = Session("http://here", {}, socket)
        change = asyncio.create_task(tab.change(box(fragment), True))
        await asyncio.sleep(0)
        for parts, ending in said:
            socket.begins(*parts.split()) if ending is None else socket.ends(ending, *parts.split())
        try:
            await change
        except SessionLost:
            return False
        finally:
            await tab.close()
        return True

    return asyncio.run(ask())


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "PATIENCE_S", 0.1)


def test_the_page_is_answered_by_a_run_of_the_page() -> None:
    assert is_answered("", ("", None), ("", WHOLE))
    assert is_answered("", ("", None), ("", CUT), ("", None), ("", WHOLE))
    # The server does not always tell the end, but it runs one after the other.
    assert is_answered("", ("", None), ("a", None), ("a", PART))
    # That ends a run from before the change.
    assert not is_answered("", ("", WHOLE))
    assert not is_answered("", ("a", None), ("a", PART))
    assert not is_answered("", ("", None), ("", CUT))


def test_a_part_is_answered_by_its_own_run_or_one_of_the_page() -> None:
    assert is_answered("a", ("a", None), ("a", PART))
    assert is_answered("a", ("", None), ("", WHOLE))
    assert not is_answered("a", ("b", None), ("b", PART))


def test_a_part_that_was_complete_when_the_next_began_is_answered() -> None:
    assert is_answered("a", ("a", None), ("a", CUT), ("b", None), ("b", PART))
    assert not is_answered("a", ("a", None), ("a", CUT))


def test_what_a_widget_holds_goes_along_with_timers_until_the_page_is_drawn_anew() -> None:
    async def watch() -> list[BackMsg]:
        socket: Any = Socket()
        tab = Session("http://here", {}, socket)
        change = asyncio.create_task(tab.change(box(""), True))
        await asyncio.sleep(0)
        socket.begins()
        socket.draws_each("curves", 0.01)
        socket.ends(WHOLE)
        await change
        await asyncio.sleep(0.05)
        socket.begins()  # the page, in which nothing is drawn by a timer any more
        await asyncio.sleep(0.02)
        count = len(socket.sent)
        await asyncio.sleep(0.05)
        assert len(socket.sent) == count
        await tab.close()
        return list(socket.sent)

    first, tick, *_ = asyncio.run(watch())
    assert not first.rerun_script.is_auto_rerun
    assert tick.rerun_script.is_auto_rerun
    assert tick.rerun_script.fragment_id == "curves"
    assert tick.rerun_script.widget_states.widgets[0].bool_value is True
