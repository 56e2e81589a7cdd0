"""The components of the Feature maps view that run in the browser; their files are in maps_js."""

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from pages.components import state

FOLDER = Path(__file__).with_name("maps_js")


def component(name: str) -> ComponentRenderer:
    """A component of these files, with what all of them draw with."""
    html, css, script, shared = (
        (FOLDER / file).read_text(encoding="utf-8")
        for file in (f"{name}.html", f"{name}.css", f"{name}.js", "drawing.js")
    )
    return st.components.v2.component(f"cnnlab_{name}", html=html, css=css, js=shared + script)


def picked(key: str) -> Any:
    """What the reader has just picked in a component; for its callback."""
    found = state.get(key)
    return found.get("picked") if hasattr(found, "get") else None
