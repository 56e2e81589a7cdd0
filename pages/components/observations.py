"""What probes observed in runs, folded away until a reader opens it."""

from collections.abc import Callable, Mapping

import streamlit as st

from cnnlab.runs.store import RunRecord
from cnnlab.training.events import Measurement
from pages.components import services

Draw = Callable[[RunRecord, tuple[Measurement, ...], str], None]


def folded(
    runs: Mapping[str, RunRecord], kind: str, title: str, icon: str, key: str, draw: Draw
) -> None:
    """One run of those observed by this kind of probe, chosen by its name where there are several.

    `key` tells the widgets of this from others; `draw` gets it too.
    """
    observed = {name: run for name, run in runs.items() if is_observed(run, kind)}
    if not observed:
        return
    place = st.expander(title, icon=icon, key=f"{key}.open", on_change="rerun")
    # What is folded is not read from the store at every tick.
    if not place.open:
        return
    with place:
        name = next(iter(observed))
        if len(observed) > 1:
            name = st.selectbox("Run", list(observed), key=f"{key}.run")
        found = services.measurements(observed[name], kind)
        if not found:
            st.caption("Nothing has been observed yet.")
            return
        draw(observed[name], found, key)


def is_observed(run: RunRecord, kind: str) -> bool:
    """Whether this kind of probe looks into a run."""
    return any(probe.kind == kind for probe in run.config.probes)
