"""The mean of several curves, and between which values they lie."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class MeanCurve:
    """Mean, lowest and highest value at each place. Shape: four arrays of one length."""

    x: Numbers
    mean: Numbers
    low: Numbers
    high: Numbers


def mean_curve(curves: Sequence[tuple[Sequence[float], Sequence[float]]]) -> MeanCurve | None:
    """The mean of curves, each given by its places and values; None where they have none in common.

    Runs report at their own times: all are read at the places of the longest, by straight lines
    between their points. What is no number is left out.
    """
    found = [_finite(x, y) for x, y in curves]
    found = [(x, y) for x, y in found if len(x)]
    if not found:
        return None
    places = max((x for x, _ in found), key=len)
    first, last = max(x[0] for x, _ in found), min(x[-1] for x, _ in found)
    places = places[(places >= first) & (places <= last)]
    if not len(places):
        return None
    values = np.stack([np.interp(places, x, y) for x, y in found])
    return MeanCurve(places, values.mean(0), values.min(0), values.max(0))


def _finite(x: Sequence[float], y: Sequence[float]) -> tuple[Numbers, Numbers]:
    places, values = np.asarray(x, np.float64), np.asarray(y, np.float64)
    kept = np.isfinite(values)
    return places[kept], values[kept]
