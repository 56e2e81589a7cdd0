"""Components of our own in which a reader steps over the places of a map, without the server."""

from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent


def component(name: str) -> Any:
    """The component of a file: the common page, look and keys, and what it draws at a place."""

    def text(file: str) -> str:
        return (FOLDER / file).read_text(encoding="utf-8")

    return st.components.v2.component(
        f"cnnlab.{name}",
        html=text("stepping.html"),
        css=text("stepping.css"),
        js=text("stepping.js") + text(f"{name}.js"),
    )
