"""Inside a run: heat maps over depth and steps, for runs that were observed."""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.runs.depth_maps import HISTOGRAMS, QUANTITIES, depth_map, histograms
from cnnlab.runs.store import RunRecord
from cnnlab.training import RunConfig, observing
from cnnlab.training.events import Measurement
from cnnlab.training.probes.batch_norm import BatchNormProbe
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe
from pages.components import charts, depth_charts, norm_inside, observations, state
from pages.components.markdown import escaped

KEY = "observe"
KIND = "layer_statistics"
# The second where a network has batch norm.
PROBES = (LayerStatisticsProbe(), BatchNormProbe())
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
        "curves; with batch norm also its statistics, γ and β. It changes nothing of the run and "
        "costs little time.",
    )


def observed(config: RunConfig) -> RunConfig:
    """The run with what the reader wants to see of it."""
    return observing.observed(config, PROBES) if state.get(KEY) else config


def show(runs: Mapping[str, RunRecord], key: str) -> None:
    """What was seen inside a run, chosen by its name where there are several."""
    observations.folded(
        runs, KIND, "Inside the run, layer by layer", ":material/layers:", key, layer_by_layer
    )
    norm_inside.show(runs, key)


def layer_by_layer(_run: RunRecord, found: tuple[Measurement, ...], key: str) -> None:
    """All layers on the left, one of them on the right."""
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
