"""The two columns of a view: knobs, and what they do."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def columns() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Knobs on the left, results on the right; on a phone the knobs are folded, on top.

    Folding and widths are in style.css: the server does not know how wide a screen is.
    """
    knobs, _, content = three()
    return knobs, content


def three() -> tuple[DeltaGenerator, DeltaGenerator, DeltaGenerator]:
    """Knobs, what stands below them and is never folded, and results."""
    side, content = st.columns([1, 3], gap="medium")
    side.toggle("Show the knobs", key="show_knobs", persist_state="session")
    return side.container(key="knobs"), side.container(), content
