"""The bench of batch normalization: a channel of a minibatch under the reader's hands."""

import numpy as np
import streamlit as st
from torch import Tensor

from cnnlab.norm_bench import BATCH_SIZES, CHANNELS, COMPANIONS, Bench, bench
from pages.components import charts, state

LOW, HIGH, BINS = -4.0, 4.0, 80
# The pixel that is followed: in the middle of the first picture.
PIXEL = 16
STEPS = {"before": charts.GREY, "standardized": charts.ORANGE, "after": charts.BLUE}
TITLES = {"before": "convolution", "standardized": "standardized", "after": "with γ and β"}
MODES = ("Training", "Prediction")
COMPANION_KEY = "bench.companions"


@st.fragment
def show() -> None:
    """Sliders, the histogram before and after, and every number of the arithmetic."""
    with st.container(border=True, key="norm_bench"):
        st.markdown("**On the bench:** one channel of LeNet's first convolution, fresh weights.")
        row = st.container(horizontal=True)
        mode = row.segmented_control(
            "Mode", MODES, default=MODES[0], required=True, key="bench.mode"
        )
        row.button(
            "Other companions",
            icon=":material/shuffle:",
            key="bench.shuffle",
            on_click=shuffle,
            help="The first picture stays; the others of its batch are changed.",
        )
        left, right = st.columns(2)
        size = left.select_slider("Pictures in the batch", BATCH_SIZES, 32, key="bench.size")
        channel = right.select_slider("Channel", range(CHANNELS), 0, key="bench.channel")
        gamma = left.slider("γ, the scale", 0.0, 3.0, 1.0, 0.1, key="bench.gamma")
        beta = right.slider("β, the shift", -2.0, 2.0, 0.0, 0.1, key="bench.beta")
        found = bench(
            size, channel, gamma, beta, training=mode != MODES[1], companions=companions()
        )
        st.plotly_chart(
            chart(found),
            config=charts.PLAIN,
            key="bench.chart",
            alt="Histograms of a channel's values before batch norm, standardized, and after it",
        )
        st.markdown(arithmetic(found, gamma, beta, mode == MODES[1]))


def shuffle() -> None:
    """Let the first picture meet others; for the callback of a button."""
    state.put(COMPANION_KEY, (companions() + 1) % COMPANIONS)


def companions() -> int:
    """Which pictures share the batch with the first."""
    return int(str(state.get(COMPANION_KEY, 0)))


def chart(found: Bench) -> charts.Ready:
    """How often each value occurs, and where the followed pixel lies."""
    edges = np.linspace(LOW, HIGH, BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    lines, marks = [], []
    for step, colour in STEPS.items():
        values: Tensor = getattr(found, step)
        # What lies outside is counted at the border, so that nothing gets lost.
        counts, _ = np.histogram(values.clamp(LOW, HIGH).numpy(), edges)
        lines.append(
            {
                "type": "scatter",
                "mode": "lines",
                "line": {"color": colour, "shape": "hvh"},
                "name": TITLES[step],
                "x": charts.numbers(list(middles)),
                "y": charts.numbers(list(counts / counts.sum())),
                "hovertemplate": "%{x:.2f}: %{y:.1%}",
            }
        )
        at = float(values[0, PIXEL, PIXEL].clamp(LOW, HIGH))
        dashed = {"color": colour, "dash": "dot", "width": 2}
        marks.append(
            {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": dashed}
        )
    layout = {
        **charts.STYLE,
        "height": 280,
        "xaxis": {"title": {"text": "value"}, "range": [LOW, HIGH]},
        "yaxis": {"tickformat": ".0%", "rangemode": "tozero"},
        "shapes": marks,
    }
    return charts.Ready({"data": lines, "layout": layout})


def arithmetic(found: Bench, gamma: float, beta: float, predicts: bool) -> str:
    """Mean and variance with their numbers, and one pixel taken through the formula."""
    size = len(found.before)
    x = float(found.before[0, PIXEL, PIXEL])
    first, second = (float(value) for value in found.before.flatten()[:2])
    normalized = float(found.standardized[0, PIXEL, PIXEL])
    y = float(found.after[0, PIXEL, PIXEL])
    mean = (
        f"μ = ({first:.3f} + {signed(second)} + …) / {found.before.numel():,} = "
        f"**{found.mean:.3f}**, over all pixels of {size} pictures; "
        f"σ² = **{found.variance:.3f}**, the same way."
    )
    if predicts:
        mean = (
            f"μ = **{found.mean:.3f}** and σ² = **{found.variance:.3f}**: running averages over "
            "earlier batches. Whatever the companions, the answer stays."
        )
    return (
        f"{mean}\n\nThe pixel in the middle of the first picture (dotted):  \n"
        f"({x:.3f} − {signed(found.mean)}) / √({found.variance:.3f} + {found.eps:.5f}) = "
        f"{normalized:.3f}, and {gamma:g} · {signed(normalized)} + {signed(beta)} = **{y:.3f}**."
    )


def signed(value: float) -> str:
    """A number inside a sum, in brackets where it is negative."""
    return f"({value:.3f})" if value < 0 else f"{value:.3f}"
