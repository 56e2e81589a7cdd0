"""Networks as bubbles: what one costs against what it reaches, each with its name."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cnnlab.compare.contenders import Kind
from cnnlab.compare.rows import Row
from pages.components import charts, label_placement
from pages.components.network_chart import (
    FONT_PX,
    HEIGHT_PX,
    KINDS,
    MARGIN_PX,
    SCREENS_PX,
    text_px,
)

# Radius of a bubble, and by how much it grows with each tenfold of the parameters.
SMALLEST_PX, TENFOLD_PX = 6.0, 4.0
FEWEST_PARAMS = 10_000
# Empty space around the points, as a share of their range; names need room above.
ASIDE, BELOW, ABOVE = 0.12, 0.15, 0.3
KEPT = 64
MARKS: Mapping[Kind, tuple[str, str, str]] = {
    "small": ("small", charts.GREEN, "circle"),
    "book": KINDS["book"],
    "torchvision": KINDS["torchvision"],
}


@dataclass(frozen=True)
class Measure:
    """What an axis shows of a network, and how it is read; None where it is not known."""

    title: str
    read: Callable[[Row], float | None]
    is_share: bool = False


def milliseconds(seconds: float | None) -> float | None:
    """None stays None."""
    return None if seconds is None else 1000 * seconds


MEASURES: Mapping[str, Measure] = {
    "accuracy": Measure(
        "Test accuracy", lambda row: row.reached.accuracy if row.reached else None, is_share=True
    ),
    "macs": Measure("Multiply-accumulates", lambda row: row.macs),
    "params": Measure("Parameters", lambda row: row.params),
    "memory": Measure("Memory, MB", lambda row: row.memory_bytes / 1e6),
    "predict": Measure("Prediction, ms a picture", lambda row: milliseconds(row.predict_s)),
    "train": Measure("Training, ms a picture", lambda row: milliseconds(row.train_s)),
}


@dataclass(frozen=True)
class Bubble:
    """A network of which both figures are known."""

    title: str
    kind: Kind
    x: float
    y: float
    params: int

    @property
    def radius_px(self) -> float:
        return SMALLEST_PX + TENFOLD_PX * math.log10(max(1, self.params / FEWEST_PARAMS))


def bubbles(rows: Sequence[Row], x: str, y: str) -> tuple[Bubble, ...]:
    """The networks that can be drawn."""
    found = [(row, MEASURES[x].read(row), MEASURES[y].read(row)) for row in rows]
    return tuple(
        Bubble(row.contender.title, row.contender.kind, at, up, row.params)
        for row, at, up in found
        if at is not None and up is not None
    )


@lru_cache(maxsize=KEPT)
def chart(shown: tuple[Bubble, ...], x: str, y: str, screen: str) -> charts.Ready:
    """The chart for one kind of screen; what comes again is not placed again."""
    axes = [
        Scale.of(MEASURES[name], [getattr(one, side) for one in shown], ends)
        for side, name, ends in (("x", x, (ASIDE, ASIDE)), ("y", y, (BELOW, ABOVE)))
    ]
    names = labels(shown, axes[0], axes[1], SCREENS_PX[screen])
    lines = [trace(kind, [one for one in shown if one.kind == kind], x, y) for kind in MARKS]
    return charts.Ready(
        {
            "data": [line for line in lines if line["x"]],
            "layout": {
                **charts.STYLE,
                "height": HEIGHT_PX,
                "margin": MARGIN_PX,
                "hovermode": "closest",
                "xaxis": axes[0].layout(),
                "yaxis": axes[1].layout(),
                "annotations": names,
            },
        }
    )


@dataclass(frozen=True)
class Scale:
    """An axis with room around its values; logarithmic, but for shares.

    `low` and `high` are in tenfolds where it is logarithmic.
    """

    measure: Measure
    low: float
    high: float

    @classmethod
    def of(cls, measure: Measure, values: Sequence[float], ends: tuple[float, float]) -> "Scale":
        """The axis for these values."""
        places = [place(measure, value) for value in values] or [0.0, 1.0]
        apart = max(max(places) - min(places), 0.05 if measure.is_share else 0.5)
        return cls(measure, min(places) - ends[0] * apart, max(places) + ends[1] * apart)

    def share(self, value: float) -> float:
        """Where a value lies between both ends."""
        return (place(self.measure, value) - self.low) / (self.high - self.low)

    def layout(self) -> dict[str, object]:
        """The axis as Plotly takes it."""
        log = {"type": "log", "dtick": 1}
        how = {"tickformat": ".0%", "nticks": 6} if self.measure.is_share else log
        return {
            "title": {"text": self.measure.title},
            "range": [self.low, self.high],
            "automargin": False,
            **how,
        }


def place(measure: Measure, value: float) -> float:
    """A value as the axis counts it."""
    return value if measure.is_share else math.log10(max(value, 1e-9))


def trace(kind: Kind, shown: Sequence[Bubble], x: str, y: str) -> dict[str, object]:
    """The bubbles of one kind."""
    name, colour, symbol = MARKS[kind]
    values = [
        f"%{{{side}:{'.1%' if MEASURES[m].is_share else ',.4~g'}}}"
        for side, m in zip("xy", (x, y), strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [one.x for one in shown],
        "y": [one.y for one in shown],
        "customdata": [[one.title, f"{one.params:,}"] for one in shown],
        "marker": {
            "size": [2 * one.radius_px for one in shown],
            "color": colour,
            "symbol": symbol,
            "opacity": 0.75,
        },
        "hovertemplate": f"<b>%{{customdata[0]}}</b><br>{MEASURES[y].title} {values[1]}<br>"
        f"{MEASURES[x].title} {values[0]}<br>%{{customdata[1]}} parameters<extra></extra>",
    }


def labels(
    shown: Sequence[Bubble], x: Scale, y: Scale, widths_px: Sequence[float]
) -> list[dict[str, object]]:
    """The name of every network, beside its bubble or tied to it by a line."""
    if not shown:
        return []
    shares = np.array([(x.share(one.x), 1 - y.share(one.y)) for one in shown])
    sizes = np.array([(text_px(one.title), FONT_PX + 4) for one in shown], np.float64)
    radii = np.array([one.radius_px for one in shown])
    height_px = HEIGHT_PX - MARGIN_PX["t"] - MARGIN_PX["b"]
    offsets = label_placement.place(shares, sizes, widths_px, height_px, radii)
    return [
        {
            "x": place(x.measure, one.x),
            "y": place(y.measure, one.y),
            "ax": right,
            "ay": down,
            "text": one.title,
            "font": {"size": FONT_PX},
            "xanchor": "center",
            "yanchor": "middle",
            "borderpad": 1,
            "arrowhead": 0,
            "arrowwidth": 1,
            "arrowcolor": charts.GREY,
            "standoff": one.radius_px,
        }
        for one, (right, down) in zip(shown, offsets.tolist(), strict=True)
    ]
