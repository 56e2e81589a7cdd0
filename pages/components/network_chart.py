"""The chart of all networks: parameters against compute, every point with its name."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from pages.components import charts, label_placement

HEIGHT_PX = 520
MARGIN_PX = {"l": 64, "r": 12, "t": 48, "b": 56}
FONT_PX = 12
# How wide the plot may be drawn, without its margins. style.css shows the chart that fits.
SCREENS_PX = {"phone": (280, 330, 410, 530), "wide": (420, 560, 740, 960, 1400)}
# Decades of empty space before the first and after the last point; names need room on top.
ASIDE, ABOVE = (0.25, 0.3), (0.25, 0.8)


@dataclass(frozen=True)
class NetworkCost:
    """What a network costs for one picture, and how it is called."""

    title: str
    year: int
    kind: str
    params: int
    macs: int
    picture: str


# Kind: what it is called in the legend, colour, marker.
KINDS = {
    "book": ("as the book trains it", charts.BLUE, "circle"),
    "torchvision": ("as torchvision builds it", charts.ORANGE, "diamond"),
}


def figure(costs: Sequence[NetworkCost], screen: str) -> go.Figure:
    """Parameters up, multiply-accumulates to the right, both logarithmic."""
    chart = go.Figure()
    for kind, (name, colour, symbol) in KINDS.items():
        chosen = [cost for cost in costs if cost.kind == kind]
        chart.add_scatter(
            x=[cost.macs for cost in chosen],
            y=[cost.params for cost in chosen],
            customdata=[(cost.year, cost.picture, cost.title) for cost in chosen],
            name=name,
            mode="markers",
            marker={"size": 12, "color": colour, "symbol": symbol},
            hovertemplate="<b>%{customdata[2]}</b>, %{customdata[0]}<br>%{y:,} parameters<br>"
            "%{x:,} multiply-accumulates<br>for one picture of %{customdata[1]}<extra></extra>",
        )
    x_range = decades([cost.macs for cost in costs], ASIDE)
    y_range = decades([cost.params for cost in costs], ABOVE)
    axis = {"type": "log", "dtick": 1, "automargin": False}
    chart.update_xaxes(range=x_range, title="multiply-accumulates for one picture", **axis)
    chart.update_yaxes(range=y_range, title="parameters", **axis)
    charts.layout(chart, height=HEIGHT_PX)
    names = labels(costs, x_range, y_range, SCREENS_PX[screen])
    return chart.update_layout(hovermode="closest", margin=MARGIN_PX, annotations=names)


def decades(values: Sequence[int], around: tuple[float, float]) -> tuple[float, float]:
    """The range of a logarithmic axis that shows all values."""
    return math.log10(min(values)) - around[0], math.log10(max(values)) + around[1]


def labels(
    costs: Sequence[NetworkCost],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    widths_px: Sequence[float],
) -> list[dict[str, object]]:
    """The name of every network, beside its point or tied to it by a line."""
    at = np.array([(math.log10(cost.macs), math.log10(cost.params)) for cost in costs])
    low, high = np.array([x_range, y_range]).T
    shares = (at - low) / (high - low)
    shares[:, 1] = 1 - shares[:, 1]
    sizes = np.array([(text_px(cost.title), FONT_PX + 4) for cost in costs], np.float64)
    height_px = HEIGHT_PX - MARGIN_PX["t"] - MARGIN_PX["b"]
    offsets = label_placement.place(shares, sizes, widths_px, height_px)
    line = {"arrowhead": 0, "arrowwidth": 1, "arrowcolor": charts.GREY, "standoff": 8}
    return [
        {
            "x": x,
            "y": y,
            "ax": right,
            "ay": down,
            "text": cost.title,
            "font": {"size": FONT_PX},
            "xanchor": "center",
            "yanchor": "middle",
            "borderpad": 1,
            **line,
        }
        for cost, (x, y), (right, down) in zip(costs, at.tolist(), offsets.tolist(), strict=True)
    ]


def text_px(text: str) -> float:
    """The width of a label, rather too much than too little."""
    return 0.56 * FONT_PX * len(text) + 4
