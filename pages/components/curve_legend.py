"""The legend of both charts: a box in the colour of each run, which hides and shows its curves."""

from collections.abc import Mapping, Sequence

import streamlit as st

from cnnlab.runs.store import RunRecord
from pages.components import run_names, state
from pages.components.markdown import escaped


def show(runs: Sequence[RunRecord], colours: Mapping[str, str]) -> None:
    """A box for each run, named by what differs; everything that differs when it is asked for."""
    if not runs:
        return
    st.html(f"<style>{' '.join(style(run.id, colours[run.id]) for run in runs)}</style>")
    labels = run_names.labels(runs)
    with st.container(horizontal=True, key="curve_legend", gap="small"):
        for run in runs:
            label = labels[run.id]
            st.checkbox(escaped(label.short), True, key=key(run), help=escaped(label.long))


def key(run: RunRecord) -> str:
    return f"shown_{run.id}"


def is_shown(run: RunRecord) -> bool:
    """Whether the reader left the curves of a run in the charts."""
    return bool(state.get(key(run), True))


def style(run: str, colour: str) -> str:
    """The box of a run in its colour."""
    return (
        f".st-key-shown_{run} label > div:first-of-type {{"
        f"border-color: {colour} !important;}} "
        f".st-key-shown_{run} label:has(input:checked) > div:first-of-type {{"
        f"background-color: {colour} !important;}}"
    )
