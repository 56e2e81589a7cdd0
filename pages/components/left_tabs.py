"""Tabs that were closed: what the server keeps of them, and for them, is given back after a while.

Streamlit keeps a session, with the photos that were uploaded in it, in case its connection comes
back, and looks for old ones only when another tab closes: after a lesson, all of them would stay.
"""

import asyncio
import contextlib
import gc

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cnnlab import allocator, forgetting
from pages.components.garbage import Seldom

# A network that fails is back by then, or so slow that a reader reloads.
KEPT_S = 45.0
# A class that listens will ask for the same again.
LESSON_S = 600.0
# A class that leaves closes thirty tabs in a moment.
TIDY_S = 3.0
# Of the time that may take: only a class that leaves has much to tidy up.
SHARE = 0.2


def watch() -> None:
    """Have the session of this tab ended when the tab is gone."""
    if context := get_script_run_ctx():
        _opened(context.session_id)


def left(session: str) -> None:
    """A tab was closed, or its connection broke: end its session unless it comes back."""
    # Elsewhere than in the server's own thread the whole server is about to end, or a test.
    with contextlib.suppress(RuntimeError):
        loop = asyncio.get_running_loop()
        if earlier := _waiting.pop(session, None):
            earlier.cancel()
        _waiting[session] = loop.call_later(KEPT_S, end, session)


def end(session: str) -> None:
    """Give back what is kept of a session that nobody looks at."""
    _waiting.pop(session, None)
    if not runtime.exists():
        return
    server = runtime.get_instance()
    if not server.is_active_session(session):
        server.close_session(session)
        _room.leave(session)
        # It walks through everything, and the server's own thread has to answer the others.
        asyncio.get_running_loop().run_in_executor(None, _tidying.collect)


class Room:
    """The tabs that are open, and how many there were at most since there was none."""

    def __init__(self) -> None:
        self._here: set[str] = set()
        self._most = 0

    def enter(self, session: str) -> None:
        self._here.add(session)
        self._most = max(self._most, len(self._here))

    def leave(self, session: str) -> None:
        self._here.discard(session)
        if not self._here:
            self._most = 0

    @property
    def is_left(self) -> bool:
        """Whether most have gone."""
        return 2 * len(self._here) <= self._most


def _tidy() -> None:
    """Give back what only those had asked for who have left; their networks are traced anew."""
    forgetting.forget(KEPT_S if _room.is_left else LESSON_S)
    gc.collect()
    allocator.give_back()


_room = Room()
_tidying = Seldom(TIDY_S, _tidy, SHARE)
_waiting: dict[str, asyncio.TimerHandle] = {}


# Released when the connection of a tab ends.
@st.cache_resource(scope="session", on_release=left, show_spinner=False)
def _opened(session: str) -> str:
    _room.enter(session)
    return session
