"""Reach: the pixels of the picture that the values of a map depend on, per row and per column."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnlab.receptive_field import WINDOWS, Window, window
from cnnlab.trace import tensors

# First and last pixel, side by side on the last axis.
Spans = NDArray[np.int16]
# Where nothing is seen the last pixel comes before the first.
NOTHING = np.array([2**15 - 1, -1], dtype=np.int16)
# Functions that make each value of the one in its place, or of those in the same place.
POINTWISE = {
    *("relu", "sigmoid", "tanh", "leaky_relu", "gelu", "dropout", "batch_norm", "to", "sqrt"),
    *("add", "sub", "mul", "div", "truediv"),
}


@dataclass(frozen=True)
class Reach:
    """What the values of a map see of the picture: a rectangle each.

    Windows are rectangles, so the rows that a value sees depend on its row and channel alone, and
    its columns on its column and channel. Features without height and width are maps of one pixel.

    Shape: `rows` (C, H, 2), `columns` (C, W, 2); 1 in place of C where all channels see the same.
    """

    rows: Spans
    columns: Spans

    def along(self, change: Callable[[Spans, int], Spans]) -> "Reach":
        """The same change of the rows (axis 0) and of the columns (axis 1)."""
        return Reach(change(self.rows, 0), change(self.columns, 1))


def of_picture(height: int, width: int) -> Reach:
    """Every pixel of the picture sees itself."""

    def own(count: int) -> Spans:
        return np.arange(count, dtype=np.int16).repeat(2).reshape(1, count, 2)

    return Reach(own(height), own(width))


def hull(spans: Spans, axis: int | tuple[int, ...]) -> Spans:
    """The smallest span about all of those along an axis, which stays."""
    first = spans[..., 0].min(axis, keepdims=True)
    return np.stack([first, spans[..., 1].max(axis, keepdims=True)], axis=-1)


def joined(reaches: Sequence[Reach]) -> Reach:
    """Where maps are added: the smallest rectangles about those that each of them sees."""

    if len(reaches) == 1:
        return reaches[0]

    def both(found: Sequence[Spans]) -> Spans:
        found = np.broadcast_arrays(*found)
        first, last = (np.stack([spans[..., i] for spans in found]) for i in (0, 1))
        return np.stack([first.min(0), last.max(0)], axis=-1)

    return Reach(both([r.rows for r in reaches]), both([r.columns for r in reaches]))


def after(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], made: Tensor) -> Reach:
    """The reach of what a function made, from that of the tensors that it read.

    A function of which nothing is known reads all channels of a place, or the whole map where it
    changes the size.
    """
    if name in OWN:
        return OWN[name](*args, **kwargs, made=made)
    read = [x for x in tensors((args, kwargs)) if hasattr(x, "_reach")]
    if name in WINDOWS:
        found = window(name, args, kwargs, made)
        return of(read[0]).along(lambda spans, axis: through(found, spans, made.shape[2 + axis]))
    if not fits(read, made):
        return whole([of(x) for x in read])
    reach = joined([of(x) for x in read])
    return reach if name in POINTWISE else reach.along(lambda spans, _axis: hull(spans, 0))


def of(x: Tensor) -> Reach:
    """What was noted on a tensor."""
    found: Reach = x._reach  # type: ignore[attr-defined]
    return found


def through(found: Window, spans: Spans, side: int) -> Spans:
    """What windows see of a map whose values see `spans`. Shape: (C, H, 2) -> (C, side, 2)."""
    taps, on_map = found.taps(spans.shape[1], side)
    read = spans[:, np.where(on_map, taps, 0)]
    return hull(np.where(on_map[..., None], read, NOTHING), 2)[:, :, 0]


def fits(read: Sequence[Tensor], made: Tensor) -> bool:
    """Whether a value of the result may stand for the values in its place in each input."""
    sizes = [tuple(x.shape[2:]) for x in read]
    same = all(size in (made.shape[2:], (1,) * (made.dim() - 2)) for size in sizes)
    return same and all(x.dim() == made.dim() for x in read)


def whole(reaches: Sequence[Reach]) -> Reach:
    """One rectangle about all that is seen."""

    def all_of(spans: Spans) -> Spans:
        return hull(spans, (0, 1))

    return joined([Reach(all_of(r.rows), all_of(r.columns)) for r in map(visible, reaches)])


def visible(reach: Reach) -> Reach:
    """A feature that sees no row sees no column either, and the other way about."""
    if reach.rows.shape[:2] != reach.columns.shape[:2]:
        return reach
    seen = (reach.rows[..., 0] <= reach.rows[..., 1]) & (
        reach.columns[..., 0] <= reach.columns[..., 1]
    )
    return reach.along(lambda spans, _axis: np.where(seen[..., None], spans, NOTHING))


# The parameters below are PyTorch's, in its order, as far as they matter here.
def convolution(
    input: Tensor, weight: Tensor, *args: Any, made: Tensor, groups: int = 1, **kwargs: Any
) -> Reach:
    """Every channel of a group sees what all that the group reads see."""
    groups = args[4] if len(args) > 4 else groups
    found = WINDOWS["conv2d"](input, weight, *args, **kwargs)

    def seen(spans: Spans, axis: int) -> Spans:
        if groups > 1:
            every = np.broadcast_to(spans, (input.shape[1], *spans.shape[1:]))
            spans = hull(every.reshape(groups, -1, *spans.shape[1:]), 1)[:, 0]
            spans = spans.repeat(made.shape[1] // groups, 0)
        else:
            spans = hull(spans, 0)
        return through(found, spans, made.shape[2 + axis])

    return of(input).along(seen)


def concatenation(tensors: Sequence[Tensor], dim: int = 0, *, made: Tensor) -> Reach:
    """Every channel sees what it saw before; along another axis, all of it."""
    if dim != 1:
        return whole([of(x) for x in tensors])

    def beside(found: Sequence[tuple[Spans, int]]) -> Spans:
        full = [np.broadcast_to(spans, (count, *spans.shape[1:])) for spans, count in found]
        return np.concatenate(full)

    counts = [x.shape[1] for x in tensors]
    assert sum(counts) == made.shape[1]
    reaches = [of(x) for x in tensors]
    return Reach(
        beside(list(zip([r.rows for r in reaches], counts, strict=True))),
        beside(list(zip([r.columns for r in reaches], counts, strict=True))),
    )


def flattening(input: Tensor, *_: Any, made: Tensor, **__: Any) -> Reach:
    """Every feature sees what its pixel saw."""
    if input.dim() != 4 or made.dim() != 2:
        return of(input) if input.dim() == made.dim() else whole([of(input)])
    channels, height, width = input.shape[1:]
    reach, shape = of(input), (channels, height, width, 2)
    rows = np.broadcast_to(reach.rows[:, :, None], shape).reshape(-1, 1, 2)
    return visible(Reach(rows, np.broadcast_to(reach.columns[:, None], shape).reshape(-1, 1, 2)))


def connection(input: Tensor, *_: Any, made: Tensor, **__: Any) -> Reach:  # noqa: ARG001
    """A fully-connected layer reads every feature."""
    return whole([of(input)])


def slicing(input: Tensor, index: Any, *, made: Tensor) -> Reach:
    """Some of the channels, rows and columns."""
    index = index if isinstance(index, tuple) else (index,)
    if input.dim() != 4 or made.dim() != 4 or not all(isinstance(i, slice) for i in index):
        return whole([of(input)])
    full = (*index, *[slice(None)] * (4 - len(index)))

    def kept(spans: Spans, axis: int) -> Spans:
        channels = full[1] if len(spans) > 1 else slice(None)
        return spans[channels, full[2 + axis]]

    return of(input).along(kept)


def padding(input: Tensor, pad: Sequence[int], *_: Any, made: Tensor, **__: Any) -> Reach:
    """What is filled up with sees nothing."""
    if input.dim() != 4:
        return whole([of(input)])
    added = [*pad, *[0] * (6 - len(pad))]

    def filled(spans: Spans, axis: int) -> Spans:
        before, beyond = added[2 * (1 - axis)], added[4]
        shape = (input.shape[1], input.shape[2 + axis], 2)
        full = np.broadcast_to(NOTHING, (made.shape[1], made.shape[2 + axis], 2)).copy()
        inside = slice(max(0, beyond), beyond + shape[0]), slice(max(0, before), before + shape[1])
        cut = slice(max(0, -beyond), None), slice(max(0, -before), None)
        old = np.broadcast_to(spans, shape)[cut]
        full[inside] = old[: full[inside].shape[0], : full[inside].shape[1]]
        return full

    return of(input).along(filled)


OWN: dict[str, Callable[..., Reach]] = {
    "conv2d": convolution,
    "cat": concatenation,
    "flatten": flattening,
    "linear": connection,
    "getitem": slicing,
    "pad": padding,
}
