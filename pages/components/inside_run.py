"""Inside a run: heat maps over depth and steps, for runs that were observed."""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.runs.depth_maps import HISTOGRAMS, QUANTITIES, depth_map, histograms
from cnnlab.runs.store import RunRecord
from cnnlab.training import RunConfig
from cnnlab.training.events import Measurement
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe
from pages.components import charts, depth_charts, services, state
from pages.components.markdown import escaped

KEY = "observe"
KIND = "layer_statistics"
NOTE = (
    "From top to bottom: from the first layer to the last. From left to right: the observed steps, "
    "dense at the beginning. Where the top is darker than the bottom, less arrives at the first "
    "layers than at the last."
)


def choice(row: DeltaGenerator) -> None:
    """Whether the next run is observed."""
    row.toggle(
        "Observe the layers",
        key=KEY,
        help="Gradients, spread and zeros of every layer at a few dozen steps, drawn below the "
        "curves. It changes nothing of the run and costs little time.",
    )


def observed(config: RunConfig) -> RunConfig:
    """The run with what the reader wants to see of it."""
    return config.replace(probes=(LayerStatisticsProbe(),)) if state.get(KEY) else config


def is_observed(run: RunRecord) -> bool:
    """Whether the layers of a run were observed."""
    return any(probe.kind == KIND for probe in run.config.probes)


def show(runs: Mapping[str, RunRecord], key: str) -> None:
    """What was seen inside a run, chosen by its name where there are several."""
    observed = {name: run for name, run in runs.items() if is_observed(run)}
    if not observed:
        return
    place = st.expander(
        "Inside the run, layer by layer",
        icon=":material/layers:",
        key=f"{key}.open",
        on_change="rerun",
    )
    # What is folded is not read from the store at every tick.
    if not place.open:
        return
    with place:
        name = next(iter(observed))
        if len(observed) > 1:
            name = st.selectbox("Run", list(observed), key=f"{key}.run")
        found = services.measurements(observed[name], KIND)
        if not found:
            st.caption("Nothing has been observed yet.")
            return
        left, right = st.columns(2)
        with left:
            layers(found, key)
        with right:
            values(found, key)


def layers(found: tuple[Measurement, ...], key: str) -> None:
    """One quantity of all layers."""
    by_title = {quantity.title: quantity for quantity in QUANTITIES}
    quantity = by_title[st.selectbox("Quantity", list(by_title), key=f"{key}.quantity")]
    st.plotly_chart(
        depth_charts.depth(depth_map(found, quantity), quantity),
        config=charts.PLAIN,
        key=f"{key}.depth",
        alt=f"{quantity.title} of every layer over the steps of the run",
    )
    st.caption(NOTE)


def values(found: tuple[Measurement, ...], key: str) -> None:
    """The histogram of one layer over time."""
    names = list(dict.fromkeys(measured.layer for measured in found if measured.layer))
    row = st.container(horizontal=True)
    layer = row.selectbox("Layer", names, key=f"{key}.layer")
    kinds = {title: n for title, n in HISTOGRAMS.items() if histograms(found, layer, n)}
    title = row.selectbox("Values", list(kinds), key=f"{key}.values")
    if title is None or (shares := histograms(found, layer, kinds[title])) is None:
        return
    st.plotly_chart(
        depth_charts.over_time(shares, kinds[title]),
        config=charts.PLAIN,
        key=f"{key}.histogram",
        alt=f"{title} of {layer}: how often each value occurs, step by step",
    )
    st.caption(f"{title} of `{escaped(layer)}`: the lighter, the more of its values lie there.")
