"""The legend of feature maps: a bar of colours with the values at its ends."""

from html import escape

import streamlit as st

from cnnlab.colour_maps import Range


def show(colours: Range) -> None:
    """The bar, and in words what its colours are relative to."""
    low, middle, high = ends(colours)
    gradient = ", ".join(colours.colours.colours)
    words = f"Colours from {low} to {high}"
    st.html(
        f'<div role="img" aria-label="{escape(words)}" style="height:0.8rem;border-radius:3px;'
        f'background:linear-gradient(to right,{gradient})"></div>'
        '<div style="display:flex;justify-content:space-between;font-size:0.875rem">'
        + "".join(f"<span>{escape(word)}</span>" for word in (low, middle, high))
        + "</div>"
    )


def ends(colours: Range) -> tuple[str, str, str]:
    """The values at the left, in the middle and at the right of the bar."""
    if colours.low is None or colours.high is None:
        return "each channel's lowest", "", "its highest"
    return number(colours.low), number((colours.low + colours.high) / 2), number(colours.high)


def number(value: float) -> str:
    """A value with three digits and a true minus sign."""
    return f"{value:.3g}".replace("-", "−")
