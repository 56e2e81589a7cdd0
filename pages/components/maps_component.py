"""The components of the Feature maps view that run in the browser; their files are in maps_js."""

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from pages.components import state

FOLDER = Path(__file__).with_name("maps_js")


def component(name: str, *styles: str) -> ComponentRenderer:
    """A component of these files, with what all of them draw with and styles that it shares."""

    def read(*files: str) -> str:
        return "".join((FOLDER / file).read_text(encoding="utf-8") for file in files)

    return st.components.v2.component(
        f"cnnlab_{name}",
        html=read(f"{name}.html"),
        css=read(*(f"{style}.css" for style in (*styles, name))),
        js=read("drawing.js", f"{name}.js"),
    )


def picked(key: str) -> Any:
    """What the reader has just picked in a component; for its callback."""
    found = state.get(key)
    return found.get("picked") if hasattr(found, "get") else None
