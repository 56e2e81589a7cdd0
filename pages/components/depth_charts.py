"""Heat maps of what was observed inside a run: layers or values against steps."""

from collections.abc import Mapping

import numpy as np

from cnnlab.runs.depth_maps import DepthMap, Quantity
from cnnlab.training.probes.samples import SCALES
from pages.components import charts

ROW_PX, BORDER_PX, LEAST_PX = 18, 90, 200
# Told apart in print and by colour-blind readers; dark is little.
COLOURS = "Viridis"
# Ticks of a histogram's axis: so many of its edges.
TICKS = 8
SCALE_TICKS = 5


def depth(found: DepthMap, quantity: Quantity) -> charts.Ready:
    """A quantity of every layer over the run, the input's layer on top."""
    bar: dict[str, object] = {"thickness": 12, "outlinewidth": 0, "tickformat": ".0%"}
    z = rounded(found)
    if quantity.powers:
        bar |= powers(found)
    trace = {
        "type": "heatmap",
        "x": [str(step) for step in found.steps],
        "y": list(found.layers),
        "z": z,
        "text": [["" if v is None else read(v, quantity) for v in row] for row in z],
        "colorscale": COLOURS,
        "colorbar": bar,
        "name": quantity.title.lower(),
        "hovertemplate": "%{y}, step %{x}<br>%{fullData.name} %{text}<extra></extra>",
    }
    return _figure(trace, len(found.layers), {"autorange": "reversed", "automargin": True})


def powers(found: DepthMap) -> dict[str, object]:
    """A few ticks of a scale in powers of ten, with the numbers themselves."""
    there = found.values[np.isfinite(found.values)]
    if not len(there):
        return {}
    places = np.linspace(there.min(), there.max(), SCALE_TICKS)
    return {"tickvals": list(places), "ticktext": [f"{10.0**place:.2g}" for place in places]}


def read(value: float, quantity: Quantity) -> str:
    """A value of the map as a reader sees it."""
    return f"{10.0**value:.3g}" if quantity.powers else f"{value:.0%}"


def over_time(found: DepthMap, name: str) -> charts.Ready:
    """The histogram of a layer's values, a column for each observed step."""
    edges = SCALES[name].edges
    places = range(0, len(edges), len(edges) // TICKS)
    trace = {
        "type": "heatmap",
        "x": [str(step) for step in found.steps],
        "z": rounded(found),
        "colorscale": COLOURS,
        "colorbar": {"tickformat": ".0%", "thickness": 12, "outlinewidth": 0},
        "hovertemplate": "step %{x}<br>%{z:.1%} of the values<extra></extra>",
    }
    axis = {
        "tickvals": [place - 0.5 for place in places],
        "ticktext": [f"{edges[place]:.2g}" for place in places],
        "automargin": True,
    }
    return _figure(trace, 12, axis)


def rounded(found: DepthMap) -> list[list[float | None]]:
    """The values row by row; what is not there is nothing."""
    return [
        [round(float(value), 4) if charts.is_number(value) else None for value in row]
        for row in found.values
    ]


def _figure(trace: Mapping[str, object], rows: int, axis: Mapping[str, object]) -> charts.Ready:
    layout = {
        **charts.STYLE,
        "height": max(LEAST_PX, BORDER_PX + ROW_PX * rows),
        "hovermode": "closest",
        # Steps lie densely at the beginning: each is as wide as the next.
        "xaxis": {"title": {"text": "step"}, "type": "category", "nticks": 10},
        "yaxis": axis,
    }
    return charts.Ready({"data": [trace], "layout": layout})
