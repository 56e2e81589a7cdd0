"""The charts of runs' losses and accuracies; one colour a run, line for training, dots for test."""

import html
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnnlab.runs.smoothing import highest_loss, loss_top, smoothed
from cnnlab.runs.store import Curve
from pages.components import charts

COLUMNS = {"epoch": "epochs", "step": "steps", "seconds": "seconds"}
# What an earlier run keeps of its colour: on a dark page it is darker than any run in full.
FAINT = 0.45
RAW = 0.3
HOVER_LETTERS = 40
LINES_NOTE = "Line: training, smoothed; what was measured is faint behind it. Dots: test."
FORMATS = {"loss": ".3f", "accuracy": ".1%"}


@dataclass(frozen=True)
class DrawnRun:
    """A run as it is drawn; `faint` where it stands behind another."""

    name: str
    curve: Curve
    colour: str
    faint: bool = False


def chart(
    runs: Sequence[DrawnRun],
    measure: str,
    axis: str = "epoch",
    lines: str = "both",
    end: float | None = None,
) -> charts.Ready:
    """The loss or the accuracy of runs against epoch, step or seconds.

    `lines` says which are drawn: "training", "test", or "both"; the axis ends at `end`, or where
    the longest run does.
    """
    # What is drawn last is on top.
    behind = sorted(runs, key=lambda run: not run.faint)
    traces = [trace for run in behind for trace in _traces(run, measure, axis, lines)]
    return charts.Ready(
        {
            "data": traces,
            "layout": {
                **charts.STYLE,
                "height": charts.HEIGHT_PX,
                "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
                "showlegend": False,
                "hovermode": "closest",
                "xaxis": _x_axis(axis, end),
                "yaxis": charts.ACCURACY_AXIS if measure == "accuracy" else _loss_axis(runs),
            },
        }
    )


def _x_axis(axis: str, end: float | None) -> dict[str, object]:
    title = {"title": {"text": axis}}
    # A fixed axis: the curve grows into it and nothing jumps.
    return title | ({"range": [0, end]} if end else {"rangemode": "tozero"})


def _loss_axis(runs: Sequence[DrawnRun]) -> dict[str, object]:
    curves = [run.curve for run in runs]
    top = loss_top(curves)
    if top is None:
        return charts.LOSS_AXIS
    title = "loss" if highest_loss(curves) <= top else "loss (higher points are cut off)"
    return {"title": {"text": title}, "range": [0, top]}


def _traces(run: DrawnRun, measure: str, axis: str, lines: str) -> Iterator[dict[str, object]]:
    """The raw training values, the smoothed ones, and those of the test set."""
    strength, width = (FAINT, 1.5) if run.faint else (1.0, 2.5)
    column, curve = COLUMNS[axis], run.curve
    if lines in ("both", "training"):
        x, values = getattr(curve, column), getattr(curve, f"train_{measure}")
        thin = {"color": run.colour, "width": 1}
        yield {**_line(x, values, thin, strength * RAW), "hoverinfo": "skip", "meta": "raw"}
        yield {
            **_line(x, smoothed(values), {"color": run.colour, "width": width}, strength),
            **_hover(run, f"training {measure}", curve.steps, measure),
            "meta": "training",
        }
    if lines in ("both", "test"):
        x, values = getattr(curve, f"test_{column}"), getattr(curve, f"test_{measure}")
        dotted = {"color": run.colour, "width": 1.5, "dash": "dot"}
        yield {
            **_line(x, values, dotted, strength),
            **_hover(run, f"test {measure}", curve.test_steps, measure),
            "mode": "lines+markers",
            "marker": {"color": run.colour, "size": 5 if run.faint else 7},
            "meta": "test",
        }


def _line(
    x: Sequence[float], y: Sequence[float], line: dict[str, object], opacity: float
) -> dict[str, object]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": charts.numbers(x),
        "y": charts.numbers(y),
        "line": line,
        "opacity": opacity,
    }


def _hover(run: DrawnRun, what: str, steps: Sequence[int], measure: str) -> dict[str, object]:
    """What stands beside a point: "LeNet, small · step 120 · test accuracy 64.7%"."""
    # Half a page is as wide as that; what sticks out of a chart is cut off.
    lines = textwrap.wrap(run.name, HOVER_LETTERS)
    return {
        "name": "<br>".join(html.escape(line) for line in lines),
        "customdata": charts.numbers(steps, "i4"),
        "hovertemplate": f"%{{fullData.name}}<br>step %{{customdata}} · {what} "
        f"%{{y:{FORMATS[measure]}}}<extra></extra>",
    }
