"""Plotly figures; all of them in one style."""

import base64
import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from cnnlab.runs.store import Curve

# Okabe and Ito's palette: told apart by colour-blind readers, on white and on dark.
BLUE, ORANGE, GREEN, GREY = "#2a7fd4", "#e08a00", "#009e73", "#8a8f98"
FAINT = ("#9db8d9", "#e3c08c", "#96c9b8", "#c9a3bd")
# One colour per compared run; the same palette, and two that stay apart from it.
SERIES = (BLUE, ORANGE, GREEN, "#cc79a7", "#56b4e9", "#d55e00", "#9a8c00", GREY)
HEIGHT_PX = 320
PLAIN = {"displayModeBar": False}


@dataclass(frozen=True)
class NamedCurve:
    """A run's curve and what it is called in the legend."""

    name: str
    curve: Curve


STYLE: dict[str, object] = {
    "margin": {"l": 10, "r": 10, "t": 30, "b": 10},
    "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
    "hovermode": "x unified",
}
LOSS_AXIS: dict[str, object] = {"title": {"text": "loss"}, "rangemode": "tozero"}
ACCURACY_AXIS: dict[str, object] = {
    "title": {"text": "accuracy"},
    "range": [0, 1],
    "tickformat": ".0%",
}


def layout(figure: go.Figure, height: int = HEIGHT_PX, **more: object) -> go.Figure:
    """The common style: no title, small margins, legend above."""
    return figure.update_layout(height=height, **STYLE, **more)


def loss(current: NamedCurve | None, earlier: Sequence[NamedCurve], epochs: int) -> go.Figure:
    """Training and test loss against epochs, earlier runs faint behind."""
    lines = [
        _line(past.curve.epochs, past.curve.train_loss, past.name, colour, width=1.5)
        for colour, past in zip(FAINT, earlier, strict=False)
    ]
    if current:
        curve = current.curve
        lines.append(_line(curve.epochs, curve.train_loss, "training", BLUE))
        lines.append(_line(curve.test_epochs, curve.test_loss, "test", ORANGE, dots=True))
    return _live(lines, LOSS_AXIS, epochs)


def accuracy(current: NamedCurve | None, earlier: Sequence[NamedCurve], epochs: int) -> go.Figure:
    """Training and test accuracy against epochs, earlier runs' test accuracy faint behind."""
    lines = [
        _line(past.curve.test_epochs, past.curve.test_accuracy, past.name, colour, width=1.5)
        for colour, past in zip(FAINT, earlier, strict=False)
    ]
    if current:
        curve = current.curve
        lines.append(_line(curve.epochs, curve.train_accuracy, "training", BLUE))
        lines.append(_line(curve.test_epochs, curve.test_accuracy, "test", ORANGE, dots=True))
    return _live(lines, ACCURACY_AXIS, epochs)


class Ready(go.Figure):  # type: ignore[misc]  # Plotly has no types
    """A figure from a finished description, which Plotly neither checks nor copies.

    Checking costs more than everything else that happens when a curve grows by a few points.
    """

    def __init__(self, description: dict[str, object]) -> None:
        super().__init__()
        self._description = description

    def to_dict(self) -> dict[str, object]:
        """The description, as it was given."""
        return self._description


def _live(lines: list[dict[str, object]], y_axis: dict[str, object], epochs: int) -> Ready:
    """A figure that is drawn several times a second."""
    named: set[object] = set()
    for line in lines:
        # A name that several lines share stands in the legend once.
        line["showlegend"] = line["name"] not in named
        named.add(line["name"])
    # A fixed axis: the curve grows into it and nothing jumps.
    x_axis = {"title": {"text": "epoch"}, "range": [0, epochs]}
    axes = {"xaxis": x_axis, "yaxis": y_axis}
    return Ready({"data": lines, "layout": {"height": HEIGHT_PX, **STYLE, **axes}})


def _line(
    x: Sequence[float],
    y: Sequence[float],
    name: str,
    colour: str,
    width: float = 2.5,
    dots: bool = False,
) -> dict[str, object]:
    return {
        "type": "scatter",
        "x": _numbers(x),
        "y": _numbers(y),
        "name": name,
        "mode": "lines+markers" if dots else "lines",
        "line": {"color": colour, "width": width},
    }


def _numbers(values: Sequence[float]) -> dict[str, str]:
    """Numbers as Plotly's typed arrays: bytes in base64."""
    content = np.asarray(values, np.float32).tobytes()
    return {"dtype": "f4", "bdata": base64.b64encode(content).decode("ascii")}


def overlay(curves: Sequence[NamedCurve], measure: str, axis: str, lines: str) -> go.Figure:
    """The loss or the accuracy of several runs against epoch, step or seconds.

    `lines` says which are drawn: "test" solid, "training" dotted, or "both".
    """
    figure = go.Figure()
    column = {"epoch": "epochs", "step": "steps", "seconds": "seconds"}[axis]
    for colour, (name, curve) in zip(SERIES, ((c.name, c.curve) for c in curves), strict=False):
        for split, prefix in (("training", "train_"), ("test", "test_")):
            if lines not in ("both", split):
                continue
            test = split == "test"
            thin = not test and lines == "both"
            figure.add_scatter(
                x=getattr(curve, f"test_{column}" if test else column),
                y=[y if is_number(y) else None for y in getattr(curve, prefix + measure)],
                name=html.escape(f"{name}, {split}"),
                mode="lines+markers" if test else "lines",
                line={"color": colour, "width": 1.5 if thin else 2.5},
                line_dash="dot" if thin else "solid",
                hovertemplate="%{fullData.name}<br>%{y:.3g} at "
                + axis
                + " %{x:.4g}<extra></extra>",
            )
    if measure == "accuracy":
        figure.update_yaxes(**ACCURACY_AXIS)
    else:
        figure.update_yaxes(**LOSS_AXIS)
    figure.update_xaxes(title=axis, rangemode="tozero")
    return layout(figure, showlegend=False).update_layout(hovermode="closest")


def is_number(value: float | None) -> bool:
    """Whether a point can be drawn; the store gives None for NaN."""
    return value is not None and math.isfinite(value)
