"""How each function makes one of its values: PyTorch's arguments in, arithmetic out."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from cnnlab.errors import ConfigError
from cnnlab.explain.arithmetic import (
    Activation,
    Arithmetic,
    Average,
    Combined,
    Dropout,
    Joined,
    Maximum,
    Normalization,
    Passed,
    Softmax,
    WeightedSum,
)
from cnnlab.shape_rules import pair

# Where a value stands in the output: example, channel, row, column; example and feature.
Index = tuple[int, ...]


def patch_of(
    maps: Tensor, starts: Sequence[int], sizes: Sequence[int], dilation: Sequence[int] = (1, 1)
) -> tuple[Tensor, Tensor]:
    """A window of maps, zero where it lies beside them, and where it lies on them.

    Shape: `maps` (C, H, W) -> (C, k, k'), (k, k').
    """
    rows, columns = (
        torch.arange(size) * step + start
        for start, size, step in zip(starts, sizes, dilation, strict=True)
    )
    on_rows, on_columns = (
        (places >= 0) & (places < side)
        for places, side in zip((rows, columns), maps.shape[1:], strict=True)
    )
    inside = on_rows[:, None] & on_columns
    rows, columns = rows.clamp(0, maps.shape[1] - 1), columns.clamp(0, maps.shape[2] - 1)
    return maps[:, rows[:, None], columns] * inside, inside


# The parameters below are PyTorch's, in its order; `at` is the value that is asked for.
def convolution(
    at: Index,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> WeightedSum:
    example, channel, *place = at
    size, step, apart = tuple(weight.shape[2:]), pair(stride), pair(dilation)
    if isinstance(padding, str):
        same = padding == "same"
        padding = tuple((k - 1) * d // 2 if same else 0 for k, d in zip(size, apart, strict=True))
    starts = [i * s - p for i, s, p in zip(place, step, pair(padding), strict=True)]
    count = weight.shape[1]
    first = channel // (weight.shape[0] // groups) * count
    channels = range(first, first + count)
    patch, inside = patch_of(input[example, first : first + count], starts, size, apart)
    shift = 0.0 if bias is None else float(bias[channel])
    return WeightedSum(patch, weight[channel], inside, shift, channels, bias is not None)


def connection(at: Index, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> WeightedSum:
    *before, feature = at
    values = input[tuple(before)]
    return WeightedSum(
        values[:, None, None],
        weight[feature][:, None, None],
        torch.ones(1, 1, dtype=torch.bool),
        0.0 if bias is None else float(bias[feature]),
        range(len(values)),
        bias is not None,
    )


def max_pooling(
    at: Index,
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    *_: Any,
    **__: Any,
) -> Maximum:
    starts = window_starts(at, stride or kernel_size, padding)
    maps = input[at[0], at[1] : at[1] + 1]
    patch, inside = patch_of(maps, starts, pair(kernel_size), pair(dilation))
    return Maximum(patch[0], inside)


def average_pooling(
    at: Index,
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,  # noqa: ARG001  (the output's size says it)
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Average:
    sizes, around = pair(kernel_size), pair(padding)
    starts = window_starts(at, stride or kernel_size, padding)
    maps = input[at[0], at[1] : at[1] + 1]
    patch, inside = patch_of(maps, starts, sizes)
    # A window may stick out of the padding too: that part is never counted.
    sides = zip(starts, sizes, input.shape[2:], around, strict=True)
    padded = [min(start + size, side + beyond) - start for start, size, side, beyond in sides]
    count = padded[0] * padded[1] if count_include_pad else int(inside.sum())
    return Average(patch[0], inside, divisor_override or count)


def window_starts(at: Index, stride: Any, padding: Any) -> list[int]:
    """Row and column at which the window of a value begins; below zero in the padding."""
    return [i * s - p for i, s, p in zip(at[2:], pair(stride), pair(padding), strict=True)]


def shared_out(at: Index, input: Tensor, output_size: Any) -> tuple[Tensor, Tensor]:
    """The patch of an adaptive pooling, whose windows share the map out."""
    wanted = output_size if isinstance(output_size, tuple | list) else (output_size, output_size)
    sides = [
        (i * side // (count or side), -(-(i + 1) * side // (count or side)))
        for i, side, count in zip(at[2:], input.shape[2:], wanted, strict=True)
    ]
    starts, sizes = [start for start, _ in sides], [end - start for start, end in sides]
    patch, inside = patch_of(input[at[0], at[1] : at[1] + 1], starts, sizes)
    return patch[0], inside


def adaptive_average(at: Index, input: Tensor, output_size: Any) -> Average:
    patch, inside = shared_out(at, input, output_size)
    return Average(patch, inside, patch.numel())


def adaptive_maximum(at: Index, input: Tensor, output_size: Any, *_: Any, **__: Any) -> Maximum:
    return Maximum(*shared_out(at, input, output_size))


def batch_norm(
    at: Index,
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,  # noqa: ARG001
    eps: float = 1e-5,
) -> Normalization:
    channel = at[1]
    if training or running_mean is None or running_var is None:
        values = input[:, channel].double()
        mean, variance = float(values.mean()), float(values.var(correction=0))
    else:
        mean, variance = float(running_mean[channel]), float(running_var[channel])
    return Normalization(
        float(input[at]),
        mean,
        (variance + eps) ** 0.5,
        1.0 if weight is None else float(weight[channel]),
        0.0 if bias is None else float(bias[channel]),
    )


def activation(name: str) -> Callable[..., Activation]:
    """One of the functions of one value, by the name that PyTorch gives it."""

    def of(at: Index, input: Tensor, *args: Any, **kwargs: Any) -> Activation:
        x = input[at].double()
        slope = 0.0
        if name == "leaky_relu":
            slope = float(args[0] if args else kwargs.get("negative_slope", 0.01))
            return Activation(name, float(x), float(x if x > 0 else slope * x), slope)
        if name == "gelu":
            return Activation(name, float(x), float(torch.nn.functional.gelu(x, **kwargs)))
        return Activation(name, float(x), float(getattr(torch, name)(x)))

    return of


def dropout(at: Index, input: Tensor, p: float = 0.5, *_: Any, **__: Any) -> Dropout:
    return Dropout(float(input[at]), p)


def concatenation(at: Index, tensors: Sequence[Tensor], dim: int = 0) -> Joined:
    sizes, place = tuple(x.shape[dim] for x in tensors), at[dim]
    part = 0
    while place >= sizes[part]:
        place -= sizes[part]
        part += 1
    inside = (*at[:dim], place, *at[dim:][1:])
    return Joined(part, place, sizes, float(tensors[part][inside]))


def combination(operation: str) -> Callable[..., Combined]:
    """A sum or a product of two inputs, one of which may be spread over the other."""

    def of(at: Index, input: Any, other: Any, *, alpha: float = 1) -> Combined:
        values = (input, other * alpha)
        shape = torch.broadcast_shapes(*(x.shape for x in values if isinstance(x, Tensor)))
        return Combined(
            operation,
            tuple(float(x.expand(shape)[at] if isinstance(x, Tensor) else x) for x in values),
        )

    return of


def flattening(at: Index, input: Tensor, *_: Any, **__: Any) -> Passed:
    place = torch.unravel_index(torch.tensor(at[-1]), tuple(input.shape[1:]))
    source = (at[0], *(int(axis) for axis in place))
    return Passed(source, float(input[source]))


def slicing(at: Index, input: Tensor, index: Any) -> Passed:
    index = index if isinstance(index, tuple) else (index,)
    if len(at) != input.dim() or not all(isinstance(part, slice) for part in index):
        raise ConfigError("Only slices that keep all axes are taken apart.")
    parts = (*index, *[slice(None)] * (input.dim() - len(index)))
    steps = zip(at, parts, input.shape, strict=True)
    source = tuple(range(*part.indices(side))[i] for i, part, side in steps)
    return Passed(source, float(input[source]))


def padding(
    at: Index, input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Passed:
    if mode != "constant":
        raise ConfigError(f"Padding in the mode {mode!r} is not taken apart; constant padding is.")
    before = [0] * input.dim()
    for axis, added in enumerate(pad[::2]):
        before[-1 - axis] = added
    source = tuple(i - added for i, added in zip(at, before, strict=True))
    if all(0 <= i < side for i, side in zip(source, input.shape, strict=True)):
        return Passed(source, float(input[source]))
    return Passed((), float(value or 0))


def softmax(at: Index, input: Tensor, dim: int = -1, *_: Any, **__: Any) -> Softmax:
    place = list(at)
    index = place.pop(dim)
    return Softmax(input.movedim(dim, -1)[tuple(place)], index)


OPERATIONS: dict[str, Callable[..., Arithmetic]] = {
    "conv2d": convolution,
    "linear": connection,
    "max_pool2d": max_pooling,
    "avg_pool2d": average_pooling,
    "adaptive_avg_pool2d": adaptive_average,
    "adaptive_max_pool2d": adaptive_maximum,
    "batch_norm": batch_norm,
    **{name: activation(name) for name in ("relu", "sigmoid", "tanh", "leaky_relu", "gelu")},
    "dropout": dropout,
    "cat": concatenation,
    "add": combination("add"),
    "mul": combination("mul"),
    "flatten": flattening,
    "getitem": slicing,
    "pad": padding,
    "softmax": softmax,
}
