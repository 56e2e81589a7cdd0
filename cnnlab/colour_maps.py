"""Colours of values: two colour maps in equal steps of lightness, and what their ends stand for."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from cnnlab.errors import ConfigError

Scale = Literal["auto", "layer", "zero", "channel"]
SCALES: tuple[Scale, ...] = get_args(Scale)


@dataclass(frozen=True)
class ColourMap:
    """Colours at equal distances, from the lowest value to the highest."""

    name: str
    colours: tuple[str, ...]

    def levels(self, count: int) -> npt.NDArray[np.uint8]:
        """Colours from the first to the last, interpolated.

        Shape: (count, 3).
        Units: red, green and blue from 0 to 255.
        """
        given = np.array([list(bytes.fromhex(colour[1:])) for colour in self.colours], np.float64)
        at, places = np.linspace(0, 1, count), np.linspace(0, 1, len(given))
        columns = [np.interp(at, places, given[:, i]) for i in range(3)]
        array: npt.NDArray[np.uint8] = np.stack(columns, 1).round().astype(np.uint8)
        return array


# Source: inferno, N. J. Smith and S. van der Walt, CC0. Dark is the lowest value.
SEQUENTIAL = ColourMap(
    "inferno",
    (
        *("#000004", "#0b0724", "#210c4a", "#3d0965", "#57106e", "#71196e", "#8a226a", "#a32c61"),
        *("#bc3754", "#d04545", "#e35933", "#f1711f", "#f98c0a", "#fcaa0f", "#f9c932", "#f2e865"),
        "#fcffa4",
    ),
)
# Source: berlin, F. Crameri, Scientific Colour Maps, MIT. Dark is zero, so that a channel which
# gives nothing is dark with either map.
DIVERGING = ColourMap(
    "berlin",
    (
        *("#9eb0ff", "#79abed", "#519fd3", "#3685ad", "#286886", "#1d4b61", "#14303e", "#111a20"),
        *("#190c09", "#2a0e01", "#3f1201", "#591c07", "#7b321c", "#9c4f3d", "#bc6d61", "#dd8d86"),
        "#ffadad",
    ),
)


@dataclass(frozen=True)
class Range:
    """The values at the two ends of a colour map; None where each channel has its own."""

    colours: ColourMap
    low: float | None
    high: float | None


def colour_range(scale: Scale, low: float, high: float) -> Range:
    """What colours stand for in a layer whose values go from `low` to `high`.

    "layer" goes from the lowest value to the highest, "zero" equally far to both sides of zero,
    "channel" stretches each channel by itself; "auto" is "zero" where there are negative values
    and otherwise "layer".

    Raises: ConfigError for a scale that does not exist.
    """
    if scale not in SCALES:
        raise ConfigError(f"There is no scale {scale!r}; there are {', '.join(SCALES)}.")
    if scale == "channel":
        return Range(SEQUENTIAL, None, None)
    largest = max(abs(low), abs(high))
    if largest and (scale == "zero" or (scale == "auto" and low < 0)):
        return Range(DIVERGING, -largest, largest)
    return Range(SEQUENTIAL, low, high)
