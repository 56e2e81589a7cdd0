"""The charts of sigmoid and ReLU with their slopes."""

import plotly.graph_objects as go
import streamlit as st

from cnnlab.activation_curves import ActivationCurve, activation_curve
from cnnlab.networks.options import Activation
from pages.components import charts

HEIGHT_PX = 260
# How each is called, and the highest value that is drawn of it.
DRAWN: dict[Activation, tuple[str, float]] = {"sigmoid": ("sigmoid", 1.1), "relu": ("ReLU", 8.5)}


def show() -> None:
    """The functions side by side, each with its slope."""
    for column, (name, (title, top)) in zip(st.columns(len(DRAWN)), DRAWN.items(), strict=True):
        curve = activation_curve(name)
        column.plotly_chart(
            figure(title, curve, top),
            config=charts.PLAIN,
            key=f"activation_{name}",
            alt=f"{title} and its slope for inputs from {curve.x[0]:g} to {curve.x[-1]:g}.",
        )
    st.caption(
        "**Sigmoid and ReLU with their slopes**, computed by PyTorch's autograd. The scales "
        f"differ: sigmoid's slope is at most {max(activation_curve('sigmoid').slope):g}, "
        f"ReLU's is {max(activation_curve('relu').slope):g} for every positive input."
    )


def figure(title: str, curve: ActivationCurve, top: float) -> go.Figure:
    """A function and its slope in one plot."""
    chart = go.Figure()
    for values, name, line in (
        (curve.y, title, {"color": charts.BLUE}),
        (curve.slope, "its slope", {"color": charts.ORANGE, "dash": "dash"}),
    ):
        chart.add_scatter(x=curve.x, y=values, name=name, mode="lines", line=line)
    chart.update_traces(hovertemplate="%{y:.3f}")
    chart.update_xaxes(title="input", zeroline=True)
    chart.update_yaxes(range=[-0.05 * top, top])
    return charts.layout(chart, height=HEIGHT_PX)
