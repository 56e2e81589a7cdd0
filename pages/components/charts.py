"""Plotly figures; all of them in one style."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from cnnlab.summary import Summary
from cnnlab.training.store import Curve

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


def layout(figure: go.Figure, height: int = HEIGHT_PX, **more: object) -> go.Figure:
    """The common style: no title, small margins, legend above."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        hovermode="x unified",
        **more,
    )
    return figure


def loss(current: NamedCurve | None, earlier: Sequence[NamedCurve], epochs: int) -> go.Figure:
    """Training and test loss against epochs, earlier runs faint behind."""
    figure = go.Figure()
    for colour, past in zip(FAINT, earlier, strict=False):
        _line(figure, past.curve.epochs, past.curve.train_loss, past.name, colour, width=1.5)
    if current:
        _line(figure, current.curve.epochs, current.curve.train_loss, "training", BLUE)
        _line(figure, current.curve.test_epochs, current.curve.test_loss, "test", ORANGE, dots=True)
    figure.update_yaxes(title="loss", rangemode="tozero")
    return _epoch_axis(layout(figure), epochs)


def accuracy(current: NamedCurve | None, earlier: Sequence[NamedCurve], epochs: int) -> go.Figure:
    """Training and test accuracy against epochs, earlier runs' test accuracy faint behind."""
    figure = go.Figure()
    for colour, past in zip(FAINT, earlier, strict=False):
        _line(
            figure, past.curve.test_epochs, past.curve.test_accuracy, past.name, colour, width=1.5
        )
    if current:
        _line(figure, current.curve.epochs, current.curve.train_accuracy, "training", BLUE)
        _line(
            figure,
            current.curve.test_epochs,
            current.curve.test_accuracy,
            "test",
            ORANGE,
            dots=True,
        )
    figure.update_yaxes(title="accuracy", range=[0, 1], tickformat=".0%")
    return _epoch_axis(layout(figure), epochs)


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
        figure.update_yaxes(title=measure, range=[0, 1], tickformat=".0%")
    else:
        figure.update_yaxes(title=measure, rangemode="tozero")
    figure.update_xaxes(title=axis, rangemode="tozero")
    return layout(figure, showlegend=False).update_layout(hovermode="closest")


def is_number(value: float | None) -> bool:
    """Whether a point can be drawn; the store gives None for NaN."""
    return value is not None and math.isfinite(value)


def _line(
    figure: go.Figure,
    x: Sequence[float],
    y: Sequence[float],
    name: str,
    colour: str,
    width: float = 2.5,
    dots: bool = False,
) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        name=name,
        mode="lines+markers" if dots else "lines",
        line={"color": colour, "width": width},
    )


def _epoch_axis(figure: go.Figure, epochs: int) -> go.Figure:
    # A fixed axis: the curve grows into it and nothing jumps.
    return figure.update_xaxes(title="epoch", range=[0, epochs])


def cost_per_layer(summary: Summary) -> go.Figure:
    """Parameters and multiply-accumulates of convolutions and fully-connected layers.

    Both as shares of the whole network.
    """
    # Normalization has hundreds of parameters where its neighbours have millions.
    layers = [layer for layer in summary.layers if layer.macs]
    names = [layer.name for layer in layers]
    figure = go.Figure()
    for title, colour, values, total in (
        ("parameters", BLUE, [layer.params for layer in layers], summary.params),
        ("multiply-accumulates", ORANGE, [layer.macs for layer in layers], summary.macs),
    ):
        figure.add_bar(
            x=names,
            y=[value / max(1, total) for value in values],
            name=title,
            marker_color=colour,
            customdata=values,
            hovertemplate="%{customdata:,} (%{y:.1%})",
        )
    figure.update_yaxes(title="share of the whole", tickformat=".0%")
    figure.update_xaxes(tickangle=-45, automargin=True, nticks=min(len(names), 40))
    return layout(figure, height=360)


def networks(rows: Sequence[dict[str, object]]) -> go.Figure:
    """Every network of the chapter: parameters against multiply-accumulates."""
    figure = go.Figure()
    for kind, colour, symbol in (("book", BLUE, "circle"), ("published", ORANGE, "diamond")):
        chosen = [row for row in rows if row["kind"] == kind]
        figure.add_scatter(
            x=[row["macs"] for row in chosen],
            y=[row["params"] for row in chosen],
            text=[row["label"] for row in chosen],
            customdata=[(row["year"], row["input"], row["title"]) for row in chosen],
            name={"book": "as the book trains it", "published": "as published"}[kind],
            mode="markers+text",
            textposition="top center" if kind == "published" else "bottom center",
            marker={"size": 12, "color": colour, "symbol": symbol},
            hovertemplate="<b>%{customdata[2]}</b>, %{customdata[0]}<br>%{y:,} parameters<br>"
            "%{x:,} multiply-accumulates<br>for one picture of %{customdata[1]}<extra></extra>",
        )
    figure.update_xaxes(type="log", title="multiply-accumulates for one picture", dtick=1)
    figure.update_yaxes(type="log", title="parameters", dtick=1)
    layout(figure, height=480)
    return figure.update_layout(hovermode="closest")
