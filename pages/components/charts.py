"""Plotly figures; all of them in one style."""

import base64
import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

# Okabe and Ito's palette: told apart by colour-blind readers, on white and on dark.
BLUE, ORANGE, GREEN, GREY = "#2a7fd4", "#e08a00", "#009e73", "#8a8f98"
# One colour per compared run; the same palette, and two that stay apart from it.
SERIES = (BLUE, ORANGE, GREEN, "#cc79a7", "#56b4e9", "#d55e00", "#9a8c00", GREY)
HEIGHT_PX = 320
PLAIN = {"displayModeBar": False}


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


class Ready(go.Figure):  # type: ignore[misc]  # Plotly has no types
    """A figure from a finished description, which Plotly neither checks nor copies.

    Checking costs more than everything else that happens when a curve grows by a few points.
    """

    def __init__(self, description: dict[str, object]) -> None:
        # Plotly's own would copy its template, which the description does not use.
        self.__dict__["_description"] = description

    def to_dict(self) -> dict[str, object]:
        """The description, as it was given."""
        description: dict[str, object] = self.__dict__["_description"]
        return description


def numbers(values: Sequence[float], dtype: str = "f4") -> dict[str, str]:
    """Numbers as Plotly's typed arrays: bytes in base64."""
    content = np.asarray(values, dtype).tobytes()
    return {"dtype": dtype, "bdata": base64.b64encode(content).decode("ascii")}


def is_number(value: float | None) -> bool:
    """Whether a point can be drawn."""
    return value is not None and math.isfinite(value)
