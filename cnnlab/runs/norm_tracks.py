"""Norm tracks: the statistics of a batch norm and what it has learned, step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab import catalog
from cnnlab.networks.batch_norm import NormLayer
from cnnlab.trace import trace_of
from cnnlab.training import RunConfig
from cnnlab.training.events import Measurement
from cnnlab.training.probes.batch_norm import channels

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Quantity:
    """A number that every channel has: what prediction uses, and the batch's where there is one."""

    title: str
    value: str
    of_batch: str = ""


QUANTITIES = (
    Quantity("Mean", "running_mean", "batch_mean"),
    Quantity("Variance", "running_var", "batch_var"),
    Quantity("γ, the scale", "gamma"),
    Quantity("β, the shift", "beta"),
)


@dataclass(frozen=True)
class Track:
    """One value of a layer for every observed step and channel.

    Shape: `values` (steps, channels).
    """

    steps: tuple[int, ...]
    values: Numbers

    def of(self, place: int) -> Numbers:
        """One of the channels, by its place among those that were observed. Shape: (steps,)."""
        found: Numbers = self.values[:, place]
        return found

    @property
    def band(self) -> tuple[Numbers, Numbers]:
        """The lowest and the highest channel at every step; what is no number is left out."""
        there = np.isfinite(self.values)
        low = np.where(there, self.values, np.inf).min(1)
        high = np.where(there, self.values, -np.inf).max(1)
        empty = ~there.any(1)
        return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def layers(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    """The batch norms of a run, from the input to the output."""
    return tuple(dict.fromkeys(one.layer for one in measurements if one.layer is not None))


def tracks(measurements: Sequence[Measurement], layer: str) -> Mapping[str, Track]:
    """All that a layer was observed by, by the name of the value."""
    found: dict[str, dict[int, list[float]]] = {}
    for one in measurements:
        if one.layer != layer:
            continue
        for name, value in one.values.items():
            if isinstance(value, list):
                found.setdefault(name, {})[one.step] = [float(number) for number in value]
    return {
        name: Track(tuple(by_step), np.asarray([*by_step.values()], np.float64))
        for name, by_step in found.items()
    }


def shown_channels(config: RunConfig, layer: str) -> tuple[int, ...]:
    """Which channels of a layer the probe shows: up to 32, spread over all of them."""
    spec = catalog.network(config.network)
    outline = trace_of(spec, config.options, config.image_size).outline
    norm = outline.get_submodule(layer)
    assert isinstance(norm, NormLayer)
    return tuple(range(norm.num_features)[channels(norm.num_features)])
