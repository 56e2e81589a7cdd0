"""Tabs that were closed: what the server keeps of them is given back after a while.

Streamlit keeps a session, with the photos that were uploaded in it, in case its connection comes
back, and looks for old ones only when another tab closes: after a lesson, all of them would stay.
"""

import asyncio
import contextlib

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cnnlab import allocator

# A network that fails is back by then, or so slow that a reader reloads.
KEPT_S = 45.0


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
        # It walks through all that is free, which nobody has to wait for.
        asyncio.get_running_loop().run_in_executor(None, allocator.give_back)


# Released when the connection of a tab ends.
@st.cache_resource(scope="session", on_release=left, show_spinner=False)
def _opened(session: str) -> str:
    return session
