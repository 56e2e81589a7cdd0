"""Batch norm by hand: a small tensor with the averaged numbers marked, and every sum."""

from html import escape

import streamlit as st
from torch import Tensor

from cnnlab.norm_by_hand import (
    EPS,
    LAYER_KINDS,
    Averaged,
    LayerKind,
    averaged,
    example,
    running,
    standardized,
)

TITLES: dict[LayerKind, str] = {
    "fully_connected": "Fully-connected layer",
    "convolution": "Convolution",
}
OVER: dict[LayerKind, str] = {
    "fully_connected": "N × C: averaged over the examples (N)",
    "convolution": "N × C × H × W: averaged over the examples and all of their pixels (N, H, W)",
}
MOMENTA = (0.01, 0.05, 0.1, 0.3, 0.5, 0.9, 1.0)
USUAL = 0.1
MOST_BATCHES = 50
# Marked cells, the others, and their text: enough contrast in both themes.
MARKED = "background:light-dark(#ffd9a0,#7a4d00);font-weight:600"
PLAIN = "background:light-dark(#f0f2f6,#1e2533)"


@st.fragment
def show() -> None:
    """The tensor, the arithmetic of one channel, and what is kept of it for prediction."""
    with st.container(border=True, key="norm_by_hand"):
        st.markdown("**By hand:** which numbers share a mean and a variance?")
        kind: LayerKind = st.segmented_control(
            "Batch norm after a",
            LAYER_KINDS,
            default=LAYER_KINDS[0],
            required=True,
            format_func=TITLES.__getitem__,
            key="by_hand.kind",
        )
        x = example(kind)
        channel = int(
            st.select_slider("The channel that is marked", range(x.shape[1]), key="by_hand.channel")
        )
        left, right = st.columns(2)
        with left:
            tensor(x, channel, f"What arrives, {OVER[kind]}", "{:.0f}")
        with right:
            tensor(
                standardized(x),
                channel,
                "Standardized: each channel by its own mean and variance",
                "{:.2f}",
            )
        found = averaged(x, channel)
        st.markdown(sums(found))
        left, right = st.columns(2)
        momentum = float(left.select_slider("Momentum m", MOMENTA, USUAL, key="by_hand.momentum"))
        count = int(right.slider("Batches like this one", 1, MOST_BATCHES, 1, key="by_hand.count"))
        st.markdown(kept(found, momentum, count))


def tensor(x: Tensor, channel: int, title: str, form: str) -> None:
    """The numbers, a row for each example and a column for each channel, with one marked."""
    n, c = x.shape[:2]
    rows = [
        "".join(block(x[i, j], form, MARKED if j == channel else PLAIN) for j in range(c))
        for i in range(n)
    ]
    columns = f"auto repeat({c},max-content)"
    grid = f"display:grid;grid-template-columns:{columns};gap:6px;justify-content:start"
    heads = "".join(f"<span>C = {j}</span>" for j in range(c))
    body = "".join(f"<span>N = {i}</span>{row}" for i, row in enumerate(rows))
    words = f"{title}. {n} examples with {c} channels; channel {channel} is marked in all examples."
    st.html(
        f'<div role="img" aria-label="{escape(words)}" style="{grid};align-items:center;'
        f'font-size:0.8rem;overflow-x:auto"><span></span>{heads}{body}</div>'
    )
    st.caption(title)


def block(values: Tensor, form: str, style: str) -> str:
    """The numbers of one channel of one example: one, or a map of them."""
    flat = values.reshape(-1, values.shape[-1] if values.dim() else 1)
    cells = "".join(
        f'<span style="{style};border-radius:3px;padding:2px 4px;min-width:2.6rem;'
        f'text-align:right">{form.format(float(value)).replace("-", "−")}</span>'
        for row in flat
        for value in row
    )
    columns = f"display:grid;grid-template-columns:repeat({flat.shape[1]},max-content);gap:1px"
    return f'<div style="{columns}">{cells}</div>'


def sums(found: Averaged) -> str:
    """Mean and both variances, with all of their numbers."""
    m = len(found.values)
    values = " + ".join(f"{value:.0f}" for value in found.values.tolist())
    squares = " + ".join(f"{value:.2f}" for value in found.squares.tolist())
    total = float(found.squares.sum())
    return (
        f"Mean: μ = ({values}) / {m} = **{found.mean:.3f}**\n\n"
        f"Squared distances from it: {squares} = {total:.3f}\n\n"
        f"Biased, over {m}: σ² = {total:.3f} / {m} = **{found.biased:.3f}**. The batch is divided "
        f"by √(σ² + {EPS:.5f}) = {(found.biased + EPS) ** 0.5:.3f}.  \n"
        f"Unbiased, over {m - 1}: {total:.3f} / {m - 1} = **{found.unbiased:.3f}**. It goes into "
        "the running variance."
    )


def kept(found: Averaged, momentum: float, count: int) -> str:
    """The running statistics after one batch, with the numbers, and after several."""
    once = running([found], momentum)
    old = f"{1 - momentum:g}"
    text = (
        "PyTorch: running = (1 − m) · running + m · batch, at first mean 0 and variance 1.  \n"
        f"Running mean: {old} · 0 + {momentum:g} · {found.mean:.3f} = **{once.mean:.3f}**  \n"
        f"Running variance: {old} · 1 + {momentum:g} · {found.unbiased:.3f} = "
        f"**{once.variance:.3f}**"
    )
    if count > 1:
        later = running([found] * count, momentum)
        text += (
            f"\n\nAfter {count} batches like this one: mean **{later.mean:.3f}**, variance "
            f"**{later.variance:.3f}**. The start counts only "
            f"{old}^{count} = {(1 - momentum) ** count:.2g} any more."
        )
    return text + (
        f"\n\nA small m averages over many batches, m = 1 keeps the last one only. Other libraries "
        f"call 1 − m the momentum: there it would be {old}."
    )
