"""The edits of the picture: sliders that the address remembers, and the way back."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cnnlab.picture_edits import BOUNDS, Edits
from cnnlab.words import inside
from pages.components import state

# What a reader calls an edit, and its step; the same words say under the picture what was done.
SLIDERS = {
    "rotate": ("Turn, °", 5.0),
    "right": ("Right, %", 5.0),
    "down": ("Down, %", 5.0),
    "crop": ("Crop, %", 5.0),
    "blur": ("Blur, %", 0.5),
    "noise": ("Noise, %", 5.0),
    "cover": ("Cover, %", 5.0),
}
COVER_SLIDERS = {
    "cover_x": ("Cover from left, %", 5.0),
    "cover_y": ("Cover from top, %", 5.0),
}
SWITCHES = {"invert": "Invert", "grey": "Grey"}
DONE = {
    "crop": "cropped",
    "rotate": "turned",
    "right": "moved",
    "down": "moved",
    "blur": "blurred",
    "noise": "noisy",
    "cover": "covered",
    "invert": "inverted",
    "grey": "grey",
}


def choose() -> Edits:
    """The edits that are set."""
    with st.expander("Edit the picture", icon=":material/tune:"):
        values: dict[str, Any] = sliders(SLIDERS)
        if values["cover"]:
            values |= sliders(COVER_SLIDERS)
        row = st.container(horizontal=True)
        for name, title in SWITCHES.items():
            values[name] = row.toggle(title, key=key(name), bind="query-params")
        edits = Edits(**values)
        st.button(
            "Undo all edits",
            icon=":material/undo:",
            key="edits_undo",
            on_click=undo,
            disabled=not edits.changed,
        )
    return edits


def sliders(titles: Mapping[str, tuple[str, float]]) -> dict[str, float]:
    """The sliders of some edits, two in a row."""
    columns = st.columns(2, gap="small")
    values = {}
    for i, (name, (title, step)) in enumerate(titles.items()):
        with columns[i % 2]:
            values[name] = slider(name, title, step)
    return values


def slider(name: str, title: str, step: float) -> float:
    """The slider of an edit, at rest where it does nothing."""
    low, high = BOUNDS[name]
    # Also where the session holds another value: what equals it is left out of the address.
    rest = float(getattr(Edits, name))
    bounds = float(low), float(high)
    return float(st.slider(title, *bounds, rest, step, "%g", key=key(name), bind="query-params"))


def key(name: str) -> str:
    """Under which the session and the address know an edit."""
    return f"edit_{name}"


def undo() -> None:
    """Take every edit back."""
    for name in (*SLIDERS, *COVER_SLIDERS, *SWITCHES):
        rest = getattr(Edits, name)
        state.put(key(name), rest if isinstance(rest, bool) else float(rest))


def says(edits: Edits) -> str:
    """What was done, as the end of a sentence."""
    words = dict.fromkeys(DONE[name] for name in edits.changed if name in DONE)
    return f", {inside(', '.join(words))}" if words else ""
