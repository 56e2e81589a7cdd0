"""The chart of a cell in the grid of learning rates: its loss, and where learning begins."""

from collections.abc import Sequence

from cnnlab.experiments.rate_grid import LEARNS, SLOW, guessing
from cnnlab.runs.smoothing import smoothed
from cnnlab.runs.store import Curve
from pages.components import charts, group_charts

HEIGHT_PX = 260
# The axis ends a little above guessing: what runs away leaves the picture.
ABOVE = 1.3


def chart(lines: Sequence[tuple[str, Curve]], dataset: str, steps: int) -> charts.Ready:
    """The chosen cell's smoothed loss, and faint that of its counterpart."""
    (name, curve), *others = lines
    drawn = [group_charts.line(curve.steps, smoothed(curve.train_loss), name, charts.BLUE, 2.5)]
    for other, its in others:
        line = group_charts.line(its.steps, smoothed(its.train_loss), other, charts.ORANGE)
        drawn.append(line | {"opacity": 0.7})
    top = guessing(dataset)
    bounds = {"slow below": SLOW * top, "learns below": LEARNS * top}
    return charts.Ready(
        {
            "data": drawn,
            "layout": {
                **charts.STYLE,
                "height": HEIGHT_PX,
                "showlegend": True,
                "xaxis": {"title": {"text": "steps"}, "range": [0, steps]},
                "yaxis": {"title": {"text": "training loss"}, "range": [0, ABOVE * top]},
                "shapes": [bound(height) for height in bounds.values()],
                "annotations": [label(text, height) for text, height in bounds.items()],
            },
        }
    )


def bound(height: float) -> dict[str, object]:
    """A dotted line across."""
    dotted = {"color": charts.GREY, "dash": "dot", "width": 1.5}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height} | {
        "line": dotted
    }


def label(text: str, height: float) -> dict[str, object]:
    """What a line says, at its right end."""
    return {
        "xref": "paper",
        "x": 1,
        "y": height,
        "text": text,
        "showarrow": False,
        "xanchor": "right",
        "yanchor": "top",
        "font": {"color": charts.GREY},
    }
