"""Playback of a run: what it made of one picture, and its first kernels, step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.training.events import Measurement
from cnnlab.training.probes.values import Packed, unpack

Codes = NDArray[np.uint8]
Numbers = NDArray[np.float64]

TILES, KERNELS = 10, 32
# Values of all kernels at a step; of large kernels fewer are shown.
KERNEL_VALUES = 2000
# A layer without height and width is drawn in rows of so many units.
ROW_UNITS = 32
# What all frames of a run may fill.
LIMIT_BYTES = 1_200_000


@dataclass(frozen=True, eq=False)
class Strip:
    """Tiles of a layer at some of the steps, as codes from 0 to 255.

    `frames` says which of the playback's steps these are. At each of them the codes go from `low`
    to `high`. `signed` where that is from below zero to as far above.

    Shape: `codes` (frames, tiles, height, width, colours); `low` and `high` (frames,).
    """

    layer: str
    frames: tuple[int, ...]
    codes: Codes
    low: tuple[float, ...]
    high: tuple[float, ...]
    signed: bool


@dataclass(frozen=True, eq=False)
class Playback:
    """The classes' shares at every step, what the layers made of the picture, and the kernels.

    Shape: `scores` (steps, classes).
    """

    steps: tuple[int, ...]
    scores: Numbers
    layers: tuple[Strip, ...]
    kernels: Strip | None


def playback(
    picture: Sequence[Measurement],
    kernels: Sequence[Measurement],
    limit_bytes: int = LIMIT_BYTES,
) -> Playback | None:
    """What was observed of a run as frames; None where nothing was.

    Where all steps would take more than `limit_bytes`, some between the first and the last are
    left out. Layers may have been kept at a few of the steps only, as while the run goes on.
    """
    scores = {one.step: one.values["scores"] for one in picture if one.layer is None}
    if not scores:
        return None
    maps = {layer: tiles for layer in names(picture) if (tiles := of_layer(picture, layer))}
    windows = next((of_layer(kernels, layer) for layer in names(kernels)), {})
    steps = [*scores]
    frame_bytes = sum(
        next(iter(tiles.values())).size for tiles in [*maps.values(), windows] if tiles
    )
    count = max(2, min(len(steps), limit_bytes // max(1, frame_bytes)))
    places = dict.fromkeys(round(place) for place in np.linspace(0, len(steps) - 1, count))
    kept = [steps[place] for place in places]
    return Playback(
        tuple(kept),
        np.array([scores[step] for step in kept], np.float64),
        tuple(strip(layer, tiles, kept) for layer, tiles in maps.items()),
        strip(names(kernels)[0], windows, kept, alike=True) if windows else None,
    )


def names(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    """The layers that were observed, from the input to the output."""
    return tuple(dict.fromkeys(one.layer for one in measurements if one.layer is not None))


def of_layer(measurements: Sequence[Measurement], layer: str) -> dict[int, Numbers]:
    """The tiles of a layer by step. Shape: (tiles, height, width, colours)."""
    return {one.step: tiles(one.values) for one in measurements if one.layer == layer}


def tiles(values: Mapping[str, object]) -> Numbers:
    """Maps, units or kernels as tiles; what is no number counts as nothing.

    Shape: (tiles, height, width, colours).
    """
    if isinstance(units := values.get("units"), list):
        rows = -(-len(units) // ROW_UNITS)
        laid = np.zeros(rows * ROW_UNITS)
        laid[: len(units)] = units
        return cleaned(
            laid.reshape(1, rows, -1, 1) if rows > 1 else np.array(units).reshape(1, 1, -1, 1)
        )
    if isinstance(maps := values.get("maps"), Packed):
        return cleaned(unpack(maps)[:TILES, ..., None])
    kernels = values["kernels"]
    assert isinstance(kernels, Packed)
    array = unpack(kernels)
    count = max(1, min(KERNELS, KERNEL_VALUES // (array.shape[2] * array.shape[3])))
    # Red, green and blue as one picture; any other number of channels in grey.
    colours = array.shape[1] == 3
    shown = np.moveaxis(array, 1, -1) if colours else array.mean(1, dtype=np.float32)[..., None]
    return cleaned(shown[:count])


def cleaned(array: NDArray[np.floating]) -> Numbers:
    """Finite numbers."""
    return np.nan_to_num(array.astype(np.float64), posinf=0.0, neginf=0.0)


def strip(
    layer: str, by_step: Mapping[int, Numbers], steps: Sequence[int], alike: bool = False
) -> Strip:
    """The tiles at those of the steps at which there are some, as codes.

    Each step has its own range of values, or all have the same where they are `alike`.
    """
    frames = [place for place, step in enumerate(steps) if step in by_step]
    values = np.stack([by_step[steps[place]] for place in frames])
    signed = alike or bool(values.min() < 0)
    axes = None if alike else (1, 2, 3, 4)
    largest = np.broadcast_to(np.abs(values).max(axes), (len(frames),))
    high = np.where(largest > 0, largest, 1.0)
    low = -high if signed else np.zeros_like(high)
    share = (values - low.reshape(-1, 1, 1, 1, 1)) / (high - low).reshape(-1, 1, 1, 1, 1)
    return Strip(
        layer,
        tuple(frames),
        (share * 255).round().astype(np.uint8),
        tuple(low.tolist()),
        tuple(high.tolist()),
        signed,
    )
