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
# A class that leaves closes thirty tabs in a moment.
TIDY_S = 3.0


def watch() -> None:
    """Have the session of this tab ended when the tab is gone."""
    if context := get_script_run_ctx():
        _opened(context.session_id)


def left(session: str) -> None:
    """A tab was closed, or its connection broke: end its session unless it comes back."""
    # Elsewhere than in the server's own thread the whole server is about to end, or a test.
    with contextlib.suppress(RuntimeError):
        asyncio.get_running_loop().call_later(KEPT_S, end, session)


def end(session: str) -> None:
    """Give back what is kept of a session that nobody looks at."""
    if not runtime.exists():
        return
    server = runtime.get_instance()
    if not server.is_active_session(session):
        server.close_session(session)
        # It walks through everything, and the server's own thread has to answer the others.
        asyncio.get_running_loop().run_in_executor(None, _tidying.collect)


def _tidy() -> None:
    """Give back what only those had asked for who have left; their networks are traced anew."""
    forgetting.forget(KEPT_S)
    gc.collect()
    allocator.give_back()


_tidying = Seldom(TIDY_S, _tidy)


# Released when the connection of a tab ends.
@st.cache_resource(scope="session", on_release=left, show_spinner=False)
def _opened(session: str) -> str:
    return session
