"""The only place that touches the session: who is here and what they chose."""

import secrets
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.components.visitors import VISITOR_COOKIE, named


def visitor() -> str:
    """A name for this browser that survives a reload; for this tab where cookies are off."""
    if name := named(st.context.cookies.get(VISITOR_COOKIE)):
        return name
    return str(st.session_state.setdefault("visitor", secrets.token_urlsafe(16)))


def end_if_superseded() -> None:
    """End the script where the reader has asked for something else, or is gone."""
    if get_script_run_ctx(suppress_warning=True):
        # Streamlit does it whenever the session's state is looked at.
        _ = "visitor" in st.session_state


def put(key: str, value: object) -> None:
    """Set a widget from a callback."""
    st.session_state[key] = value


def get(key: str, default: object = None) -> object:
    """What a widget holds, also before it is drawn."""
    return st.session_state.get(key, default)


def selected_rows(key: str) -> list[int]:
    """The rows that are marked in a table with this key."""
    found = get(key)
    return list(found["selection"]["rows"]) if isinstance(found, Mapping) else []


def listed(key: str) -> list[Any]:
    """What was put there as a list; nothing if there was nothing."""
    found = get(key)
    return list(found) if isinstance(found, list) else []


def enter(page: str) -> None:
    """Note which page is drawn."""
    put("arrived", get("page") != page)
    put("page", page)


def arrives() -> bool:
    """Whether another page was drawn before this one, or none."""
    return bool(get("arrived"))


def goes_back() -> bool:
    """Whether the page is drawn because the reader went back or forward in the browser."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation
