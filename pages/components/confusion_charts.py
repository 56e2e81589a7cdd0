"""Charts of a run's answers: the confusion matrix, and the accuracy of each class."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cnnlab.runs.confusion import Confusion
from pages.components import charts

ROW_PX, BORDER_PX = 32, 90
# Below the columns stand their names, slanted.
NAMES_PX = 60
# Blue for what is right, orange for what is wrong, nothing for nothing: the text stays readable
# through both, on white and on dark.
COLOURS = (
    (0.0, "rgba(224,138,0,0.85)"),
    (0.5, "rgba(224,138,0,0)"),
    (0.5, "rgba(42,127,212,0)"),
    (1.0, "rgba(42,127,212,0.6)"),
)
EMPTY = "rgba(138,143,152,0.1)"
# A class and the class that was named, both by number.
Cell = tuple[int, int]


def matrix(found: Confusion, names: Sequence[str], cell: Cell | None) -> charts.Ready:
    """A row for each class, a column for each class that was named; one cell may be framed."""
    axis = {
        "tickvals": list(range(len(names))),
        "ticktext": list(names),
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
    }
    across = {"title": {"text": "what the network said"}, "tickangle": -45}
    layout = {
        **charts.STYLE,
        "hovermode": "closest",
        "dragmode": False,
        "clickmode": "event+select",
        "height": len(names) * ROW_PX + BORDER_PX + NAMES_PX,
        "plot_bgcolor": EMPTY,
        "xaxis": axis | across | {"range": [-0.5, len(names) - 0.5]},
        # The first class on top.
        "yaxis": axis | {"range": [len(names) - 0.5, -0.5]},
        "shapes": [frame(cell)] if cell else [],
    }
    return charts.Ready({"data": [colours(found), marks(found, names)], "layout": layout})


def colours(found: Confusion) -> dict[str, object]:
    """A heat map, at which nothing can be pointed."""
    return {
        "type": "heatmap",
        "z": shades(found).tolist(),
        "zmin": -1,
        "zmax": 1,
        "colorscale": COLOURS,
        "showscale": False,
        "hoverinfo": "skip",
        "xgap": 1,
        "ygap": 1,
    }


def marks(found: Confusion, names: Sequence[str]) -> dict[str, object]:
    """The counts: Plotly lets nobody select a cell, so that above each lies a clear mark."""
    rows, columns = np.indices(found.matrix.shape).reshape(2, -1).tolist()
    pairs = list(zip(rows, columns, strict=True))
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": columns,
        "y": rows,
        "text": [f"{count:,}" if count else "" for count in found.matrix.flatten().tolist()],
        "customdata": [f"{names[row]} as {names[column]}" for row, column in pairs],
        "marker": {"size": ROW_PX - 2, "symbol": "square", "opacity": 0},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "hovertemplate": "%{customdata}: %{text}<extra></extra>",
        "showlegend": False,
    }


def shades(found: Confusion) -> NDArray[np.float64]:
    """Shares of a row from 0 to 1, negative where the answer is wrong. Shape: (classes, classes).

    Of the roots of the shares, or a few mistakes among many right answers would not be seen.
    """
    counts = found.matrix
    shares: NDArray[np.float64] = np.sqrt(
        counts / np.maximum(counts.sum(1, keepdims=True), 1)
    ).round(3)
    return np.where(np.eye(len(counts), dtype=bool), shares, -shares)


def frame(cell: Cell) -> dict[str, object]:
    """A frame about a cell."""
    row, column = cell
    corners = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
    return {"type": "rect", "line": {"color": charts.GREY, "width": 3}, **corners}


def by_class(found: Confusion, names: Sequence[str]) -> charts.Ready:
    """A bar for each class, the first on top."""
    accuracies = found.accuracies.tolist()
    there = [charts.is_number(value) for value in accuracies]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "x": [value if ok else None for value, ok in zip(accuracies, there, strict=True)],
            "y": list(names),
            "text": [
                f"{value:.1%}" if ok else "no picture"
                for value, ok in zip(accuracies, there, strict=True)
            ],
            "textposition": "auto",
            "marker": {"color": charts.BLUE},
            "hovertemplate": "%{y}: %{text}<extra></extra>",
        }
    ]
    layout = {
        **charts.STYLE,
        "hovermode": "closest",
        "height": len(names) * ROW_PX + BORDER_PX,
        "xaxis": {"range": [0, 1], "tickformat": ".0%", "title": {"text": "named rightly"}},
        "yaxis": {"autorange": "reversed", "automargin": True},
    }
    return charts.Ready({"data": data, "layout": layout})
