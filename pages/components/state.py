"""The only place that touches the session: who is here and what they chose."""

import secrets

import streamlit as st

from pages.components.server import VISITOR_COOKIE


def visitor() -> str:
    """A name for this browser that survives a reload; for this tab where cookies are off."""
    cookie = st.context.cookies.get(VISITOR_COOKIE)
    if cookie:
        return str(cookie)
    return str(st.session_state.setdefault("visitor", secrets.token_urlsafe(16)))


def put(key: str, value: object) -> None:
    """Set a widget from a callback."""
    st.session_state[key] = value


def get(key: str, default: object = None) -> object:
    """What a widget holds, also before it is drawn."""
    return st.session_state.get(key, default)
