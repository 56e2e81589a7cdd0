"""Where the labels of a chart go, so that none covers another at any width of the screen.

The server does not know how wide the chart will be drawn. A label keeps its distance in pixels
from its point, while the points move apart or together with the width: so a place is good only
if it is free at each of several widths.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# How often each label may move once all are placed.
ROUNDS = 3
ANGLES = 24
# From close by to far off; a far label is tied to its point by a line.
STEPS = 8
RADII_PX = (17, 26, 40, 56, 76, 100, 130)
MARKER_PX = 8.0
GAP_PX = 2.0


def place(
    points: Array,
    sizes: Array,
    widths_px: Sequence[float],
    height_px: float,
    radii_px: Array | None = None,
) -> Array:
    """An offset from its point for the centre of every label.

    Labels are placed one after the other. The first ones do not know of the later ones: so each
    may move again, once all are placed.

    Shape: `points` (N, 2) as shares of the width (from the left) and the height (from the top);
    `sizes` (N, 2) width and height of the labels; `radii_px` (N,) of the markers, all alike when
    left out; the result (N, 2), right and down.
    Units: pixels.
    """
    radii = np.full(len(points), MARKER_PX) if radii_px is None else radii_px
    scale = np.array([(width, height_px) for width in widths_px])
    # (widths, N, 2)
    at = points[None] * scale[:, None]
    offsets = np.zeros_like(sizes)
    order = crowded_first(at.mean(0))
    for n, i in enumerate(order):
        offsets[i] = best(int(i), at, sizes, offsets, order[:n], scale, radii)
    for _ in range(ROUNDS):
        for i in order:
            offsets[i] = best(int(i), at, sizes, offsets, order[order != i], scale, radii)
    return offsets


def crowded_first(points: Array) -> NDArray[np.int64]:
    """The points in the order of the distance to their third neighbour."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    third = np.sort(distances, axis=1)[:, min(3, len(points) - 1)]
    return np.argsort(third)


def best(
    i: int,
    at: Array,
    sizes: Array,
    offsets: Array,
    placed: NDArray[np.int64],
    scale: Array,
    radii: Array,
) -> Array:
    """The nearest free place for one label; where none is free, the least covered."""
    candidates = around(sizes[i])
    # (widths, candidates, 2)
    centres = at[:, i, None] + candidates[None]
    half = sizes[i] / 2 + GAP_PX
    outside = (centres < half) | (centres > scale[:, None] - half)
    bad = 10.0 * outside.any(2).sum(0)
    # A point may lie under no label, its own included.
    bad += 10.0 * covers(centres, half, at, radii[:, None]).sum((0, 2))
    lines = along(at[:, i, None], centres)
    rest, rest_radii = np.delete(at, i, axis=1), np.delete(radii, i)
    bad += 0.5 * hit(lines, rest, rest_radii[:, None] / 2)
    if len(placed):
        others = at[:, placed] + offsets[placed]
        other_half = sizes[placed] / 2 + GAP_PX
        bad += 10.0 * covers(centres, half, others, other_half).sum((0, 2))
        # A line over a name makes it as hard to read as a name does.
        bad += 5.0 * hit(lines, others, other_half)
        bad += crossings(at[:, i], centres, at[:, placed], others, half)
    cost = 1000 * bad + np.linalg.norm(candidates, axis=1) ** 2 / 10
    return np.asarray(candidates[np.argmin(cost)])


def around(size: Array) -> Array:
    """Offsets to try: (candidates, 2); a wide label needs more room to the sides."""
    angles = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)
    direction = np.stack([np.cos(angles), np.sin(angles)], 1)
    stretch = direction * (size / 2 * [1.0, 0.0])
    return np.concatenate([direction * radius + stretch for radius in RADII_PX])


def covers(centres: Array, half: Array, others: Array, other_half: Array) -> NDArray[np.bool_]:
    """Whether boxes overlap: (widths, candidates, others)."""
    apart = np.abs(centres[:, :, None] - others[:, None])
    return np.asarray((apart < half + other_half).all(3))


def along(starts: Array, ends: Array) -> Array:
    """Points along lines: an axis of `STEPS` is added before the last."""
    steps = np.linspace(0.1, 1, STEPS)[:, None]
    return np.asarray(starts[:, :, None] + steps * (ends - starts)[:, :, None])


def hit(lines: Array, boxes: Array, halves: Array) -> Array:
    """How often a line passes over one of the boxes, over all widths: (candidates,)."""
    flat = lines.reshape(len(lines), -1, 2)
    covered = np.asarray(covers(flat, np.zeros(2), boxes, halves).any(2))
    return np.asarray(1.0 * covered.reshape(lines.shape[:3]).any(2).sum(0))


def crossings(
    start: Array, ends: Array, other_starts: Array, other_ends: Array, half: Array
) -> Array:
    """How often a label or its line meets the line of another label, over all widths."""
    lines = along(other_starts, other_ends).reshape(len(ends), -1, 2)
    covered = np.asarray(covers(ends, half, lines, np.zeros(2)).any(2))
    crossed = meet(
        start[:, None, None], ends[:, :, None], other_starts[:, None], other_ends[:, None]
    )
    return np.asarray(5.0 * covered.sum(0) + crossed.any(2).sum(0))


def meet(a: Array, b: Array, c: Array, d: Array) -> NDArray[np.bool_]:
    """Whether the line from `a` to `b` meets the one from `c` to `d`."""

    def side(p: Array, q: Array, r: Array) -> Array:
        return np.asarray(
            (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1])
            - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])
        )

    apart = (side(a, b, c) * side(a, b, d) > 0) | (side(c, d, a) * side(c, d, b) > 0)
    return np.asarray(~apart)
