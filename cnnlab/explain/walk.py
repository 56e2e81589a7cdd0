"""The neighbourhood of a value, small enough to send: a reader steps through it in the browser."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnlab.explain.arithmetic import Average, Combined, Joined, Passed, Softmax, WeightedSum
from cnnlab.explain.capture import Captured
from cnnlab.explain.operations import OPERATIONS, convolution
from cnnlab.explain.value import Value
from cnnlab.receptive_field import window

# Steps to each side of the value, and what the numbers of all that can be seen there may take.
MOST_STEPS = 12
MOST_VALUES = 14_000
# Input channels whose numbers are shown; what all others add is one number.
SHOWN = 3


@dataclass(frozen=True)
class Source:
    """An input channel, cut to what the neighbourhood reads, with its kernel where it has one.

    Shape: `values` (h', w'), `kernel` (k, k').
    """

    channel: int
    values: Tensor
    kernel: Tensor | None = None


@dataclass(frozen=True)
class Walk:
    """The values about one value, all that a few input channels give to them, and the rest.

    A value in row r, column c of `output` reads rows `rows[r]` and columns `columns[c]` of each
    source; -1 is the padding beside it. `rest` is what the channels that are not shown add.
    `top` and `left` say where the output's first value stands in its map, `input_top` and
    `input_left` the same of the sources.

    Shape: `output`, `rest` and `counts` (h, w); `rows` (h, k), `columns` (w, k').
    """

    output: Tensor
    top: int
    left: int
    sources: tuple[Source, ...]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    input_top: int = 0
    input_left: int = 0
    rest: Tensor | None = None
    others: int = 0
    bias: float = 0.0
    counts: Tensor | None = None


@dataclass(frozen=True)
class Area:
    """Rows and columns of the output about a value."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, values: Tensor) -> Tensor:
        return values[self.top : self.bottom, self.left : self.right]


def walk(value: Value) -> Walk | None:
    """The neighbourhood of a value of a map; None for a value that is no part of one.

    It is as large as fits: `MOST_STEPS` to each side, and `MOST_VALUES` numbers.
    """
    output, found = value.captured.output, value.arithmetic
    if output.dim() != 4 or isinstance(found, Passed | Softmax):
        return None
    if isinstance(found, Combined) and len(parts(value)) < len(found.values):
        return None  # One of them is a number that stands in the code.
    with torch.no_grad():
        for steps in range(MOST_STEPS, -1, -1):
            path = about(value, area(value, steps))
            if sum(source.values.numel() for source in path.sources) <= MOST_VALUES:
                return path
    return None


def area(value: Value, steps: int) -> Area:
    height, width = value.captured.output.shape[2:]
    row, column = value.place.row, value.place.column
    return Area(
        max(0, row - steps),
        min(height, row + steps + 1),
        max(0, column - steps),
        min(width, column + steps + 1),
    )


def about(value: Value, around: Area) -> Walk:
    """The walk over these values."""
    captured, channel = value.captured, value.place.channel
    output = captured.output[0, channel]
    call = captured.calls[-1]
    read, found = captured.read[0], value.arithmetic
    looks = window(call.name, call.args, dict(call.kwargs), captured.output)
    if isinstance(found, Combined | Joined):
        inputs = parts(value)
    elif isinstance(found, WeightedSum):
        shown = sorted(part.channel for part in found.largest(SHOWN)[0])
        inputs = [(i, read[0, i], found.kernel[i - found.channels[0]]) for i in shown]
    else:
        inputs = [(channel, read[0, channel], None)]
    rows, columns = (
        np.where(on_map, taps, -1)[start:end]
        for (taps, on_map), start, end in (
            (looks.taps(inputs[0][1].shape[0], output.shape[0]), around.top, around.bottom),
            (looks.taps(inputs[0][1].shape[1], output.shape[1]), around.left, around.right),
        )
    )
    first, cut = crop(rows, columns)
    return Walk(
        around.of(output),
        around.top,
        around.left,
        tuple(Source(i, cut(values), kernel) for i, values, kernel in inputs),
        np.where(rows < 0, -1, rows - first[0]),
        np.where(columns < 0, -1, columns - first[1]),
        *first,
        **extra(value, around, inputs),
    )


Input = tuple[int, Tensor, Tensor | None]


def parts(value: Value) -> list[Input]:
    """The maps that are added, or the one that a concatenation takes the value from."""
    captured, found = value.captured, value.arithmetic
    if isinstance(found, Joined):
        tensors = captured.calls[-1].args[0]
        return [(found.channel, tensors[found.part][0, found.channel], None)]
    shape, channel = captured.output.shape, value.place.channel
    call = captured.calls[-1]
    given = [x for x in (*call.args, *call.kwargs.values()) if isinstance(x, Tensor)]
    return [(channel, x.expand(shape)[0, channel], None) for x in given]


def crop(
    rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> tuple[tuple[int, int], Callable[[Tensor], Tensor]]:
    """Where the part of a map begins that is read, and a function that cuts it out."""
    on = [places[places >= 0] for places in (rows, columns)]
    if not all(len(places) for places in on):
        return (0, 0), lambda values: values[:1, :1]
    (top, bottom), (left, right) = ((int(p.min()), int(p.max()) + 1) for p in on)
    return (top, left), lambda values: values[top:bottom, left:right]


def extra(value: Value, around: Area, inputs: list[Input]) -> dict[str, Any]:
    """What else is added, or what a mean is divided by."""
    found = value.arithmetic
    if isinstance(found, WeightedSum):
        others = len(found.channels) - len(inputs)
        shown = around.of(convolved(value.captured, found, inputs))
        rest = around.of(value.captured.output[0, value.place.channel]) - found.bias - shown
        return (
            {"rest": rest, "others": others, "bias": found.bias} if others else {"bias": found.bias}
        )
    if isinstance(found, Average):
        return {"counts": counts(value, around)}
    return {}


def convolved(captured: Captured, found: WeightedSum, inputs: list[Input]) -> Tensor:
    """What the shown channels alone give, everywhere. Shape: (H, W)."""
    call = captured.calls[-1]
    given = signature(convolution).bind((), *call.args, **call.kwargs)
    given.apply_defaults()
    stride, padding, dilation = (given.arguments[n] for n in ("stride", "padding", "dilation"))
    maps = torch.stack([values for _, values, _ in inputs])[None]
    kernels = torch.stack([found.kernel[i - found.channels[0]] for i, _, _ in inputs])[None]
    return functional.conv2d(maps, kernels, None, stride, padding, dilation)[0, 0]


def counts(value: Value, around: Area) -> Tensor:
    """What the sum of each patch is divided by: rows times columns that count."""
    call, place = value.captured.calls[-1], value.place

    def count(row: int, column: int) -> int:
        at = (0, place.channel, row, column)
        found = OPERATIONS[call.name](at, *call.args, **call.kwargs)
        assert isinstance(found, Average)
        return found.count

    top, left = around.top, around.left
    down = torch.tensor([count(row, left) for row in range(top, around.bottom)])
    across = torch.tensor([count(top, column) for column in range(left, around.right)])
    return down[:, None] * across // count(top, left)
