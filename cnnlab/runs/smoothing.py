"""Curves that can be read: smoothed values, and an axis that one spike does not flatten."""

import math
from collections.abc import Sequence

import numpy as np

from cnnlab.runs.records import Curve

# Share of the average so far that each further point keeps.
KEPT = 0.85
# The loss of guessing among ten classes: nobody needs an axis that ends far above it.
GUESSING = math.log(10)
# What is higher than this share of a run's points may be cut off.
PERCENTILE = 98
# A point that is no more above the others than this is noise, not a spike.
NOISE = 1.5
# How much higher than the lowest run the highest may make the axis.
MOST_APART = 4


def smoothed(values: Sequence[float]) -> list[float]:
    """The exponential moving average, without the pull of its start; gaps stay gaps.

    Source: Kingma & Ba 2014, the correction of the bias at the beginning.
    """
    average, weight, found = 0.0, 0.0, []
    for value in values:
        if math.isfinite(value):
            average = KEPT * average + (1 - KEPT) * value
            weight = KEPT * weight + (1 - KEPT)
            found.append(average / weight)
        else:
            found.append(math.nan)
    return found


def loss_top(curves: Sequence[Curve]) -> float | None:
    """Where an axis of the losses of these runs ends; None where there is no point.

    A run that goes wild is cut off rather than the others flattened.
    """
    heights = [height for curve in curves if (height := _height(curve)) is not None]
    if not heights:
        return None
    top = min(max(heights), MOST_APART * min(heights))
    step = 10 ** math.floor(math.log10(top)) / 4
    return float(math.ceil(top / step) * step)


def highest_loss(curves: Sequence[Curve]) -> float:
    """The highest loss that can be drawn; 0 where there is none."""
    values = np.asarray([loss for c in curves for loss in (*c.train_loss, *c.test_loss)], float)
    return float(values[np.isfinite(values)].max(initial=0.0))


def _height(curve: Curve) -> float | None:
    """How high a run's losses reach, the highest few left out."""
    values = np.asarray([*curve.train_loss, *curve.test_loss], float)
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return None
    quarter, high = np.percentile(values, (25, PERCENTILE))
    # The first points are the highest of a run that learns: they are no spike.
    height = float(min(max(values[0], high), 3 * max(quarter, GUESSING)))
    highest = float(values.max())
    return highest if highest <= NOISE * height else height
