"""Batch norm inside a run: running and batch statistics, γ and β of one channel, step by step."""

from collections.abc import Mapping, Sequence

import streamlit as st

from cnnlab.runs.norm_tracks import (
    QUANTITIES,
    Numbers,
    Quantity,
    Track,
    layers,
    shown_channels,
    tracks,
)
from cnnlab.runs.store import RunRecord
from cnnlab.training.events import Measurement
from pages.components import charts, observations
from pages.components.group_charts import see_through

KIND = "batch_norm"
HEIGHT_PX = 240
NOTE = (
    "Blue: the running average after each observed step, by which prediction standardizes; γ and β "
    "as they were learned. Orange: the same of the batch alone. The variance of the batch is the "
    "unbiased one, which goes into the average. Grey: from the lowest to the highest of "
)


def show(runs: Mapping[str, RunRecord], key: str) -> None:
    """The batch norms of a run that were observed."""
    observations.folded(
        runs,
        KIND,
        "Batch norm, step by step",
        ":material/balance:",
        f"{key}.norm",
        draw,
    )


def draw(run: RunRecord, found: tuple[Measurement, ...], key: str) -> None:
    """A chart for each quantity of a layer, with one of its channels on top."""
    row = st.container(horizontal=True)
    layer = row.selectbox("Layer", layers(found), key=f"{key}.layer")
    numbers = shown_channels(run.config, layer)
    # Layers have different numbers of channels, and a widget keeps its choices.
    channel = row.selectbox("Channel", numbers, key=f"{key}.channel.{layer}")
    observed = tracks(found, layer)
    shown = [quantity for quantity in QUANTITIES if quantity.value in observed]
    for pair in (shown[:2], shown[2:]):
        for column, quantity in zip(st.columns(2), pair, strict=False):
            column.plotly_chart(
                chart(quantity, observed, numbers.index(channel)),
                config=charts.PLAIN,
                key=f"{key}.{quantity.value}",
                alt=f"{quantity.title} of channel {channel} of {layer} over the steps of the run",
            )
    st.caption(f"{NOTE}{len(numbers)} channels.")


def chart(quantity: Quantity, observed: Mapping[str, Track], place: int) -> charts.Ready:
    """One quantity against steps: the band of all channels, and one channel."""
    own = observed[quantity.value]
    low, high = own.band
    hidden = {"line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
    lines: list[dict[str, object]] = [
        line(own.steps, low, "lowest", charts.GREY) | hidden,
        line(own.steps, high, "all channels", charts.GREY)
        | hidden
        | {"fill": "tonexty", "fillcolor": see_through(charts.GREY)},
    ]
    if batch := observed.get(quantity.of_batch):
        lines.append(line(batch.steps, batch.of(place), "batch", charts.ORANGE))
    name = "running" if quantity.of_batch else quantity.title.split(",")[0]
    lines.append(line(own.steps, own.of(place), name, charts.BLUE, width=2.5))
    layout = {
        **charts.STYLE,
        "height": HEIGHT_PX,
        "xaxis": {"title": {"text": "step"}},
        "yaxis": {"title": {"text": quantity.title.lower()}, "automargin": True},
    }
    return charts.Ready({"data": lines, "layout": layout})


def line(
    steps: Sequence[int], values: Numbers, name: str, colour: str, width: float = 1.5
) -> dict[str, object]:
    """A line over the observed steps; where there is no number, it has a gap."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "line": {"color": colour, "width": width},
        "x": list(steps),
        "y": [
            float(f"{value:.4g}") if charts.is_number(value) else None for value in values.tolist()
        ],
        "hovertemplate": "%{y:.3g}",
    }
