"""Depth maps: what was observed of every layer, layer by layer and step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.training.events import Measurement
from cnnlab.training.probes.samples import BINS

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Quantity:
    """A number that `layer_statistics` reads off a layer, and how it is read.

    `powers` where factors count, so that it is drawn in powers of ten.
    """

    title: str
    value: str
    powers: bool = False


# Of layers with weights only, but for the last two.
QUANTITIES = (
    Quantity("Gradient", "gradient_norm", powers=True),
    Quantity("Update against weight", "update", powers=True),
    Quantity("Spread of the output", "std", powers=True),
    Quantity("Share of zeros", "zeros"),
)
# Histograms of a layer over time, by what they are called here.
HISTOGRAMS = {"Output": "activations", "Gradient": "gradients", "Weights": "weights"}


@dataclass(frozen=True)
class DepthMap:
    """A value for every layer and observed step; NaN where there is none.

    Shape: `values` (layers, steps).
    """

    layers: tuple[str, ...]
    steps: tuple[int, ...]
    values: Numbers


def depth_map(measurements: Sequence[Measurement], quantity: Quantity) -> DepthMap:
    """One quantity of all layers that have it, from the input to the output.

    Where factors count, the values are powers of ten.
    """
    found: dict[str, dict[int, float]] = {}
    for measured in measurements:
        value = measured.values.get(quantity.value)
        if measured.layer is not None and isinstance(value, int | float):
            found.setdefault(measured.layer, {})[measured.step] = float(value)
    steps = sorted({step for by_step in found.values() for step in by_step})
    rows = [[by_step.get(step, np.nan) for step in steps] for by_step in found.values()]
    values = np.asarray(rows, np.float64).reshape(len(found), len(steps))
    if quantity.powers:
        # Nothing at all has no power of ten.
        values = np.log10(np.where(values > 0, values, np.nan))
    return DepthMap(tuple(found), tuple(steps), values)


def histograms(measurements: Sequence[Measurement], layer: str, name: str) -> DepthMap | None:
    """Shares of a layer's values by bin and step; None where the layer has no such histogram.

    The `layers` of the result are the numbers of the bins, from the lowest values up.
    """
    counts: Mapping[int, list[float]] = {
        measured.step: [float(count) for count in bins]
        for measured in measurements
        if measured.layer == layer and isinstance(bins := measured.values.get(name), list)
    }
    if not counts:
        return None
    values = np.asarray([*counts.values()], np.float64).T
    shares = values / np.maximum(values.sum(0), 1)
    return DepthMap(tuple(str(bin) for bin in range(BINS)), tuple(counts), shares)
