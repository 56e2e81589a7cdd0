"""Batch normalization by hand: which numbers of a small tensor are averaged, and what is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from cnnlab.errors import ConfigError

LayerKind = Literal["fully_connected", "convolution"]
LAYER_KINDS: tuple[LayerKind, ...] = get_args(LayerKind)
# Small enough to be written out: (N, C) and (N, C, H, W).
SHAPES: dict[LayerKind, tuple[int, ...]] = {
    "fully_connected": (4, 3),
    "convolution": (3, 3, 2, 2),
}
LARGEST = 9
EPS = 1e-5


@dataclass(frozen=True)
class Averaged:
    """One channel's numbers, and what is made of them.

    `squares` are the squared distances from the mean. The batch is divided by the root of `biased`,
    the sum of squares over m; `unbiased`, over m - 1, goes into the running variance.

    Shape: `values` and `squares` (m,).
    """

    values: Tensor
    mean: float
    squares: Tensor
    biased: float
    unbiased: float


@dataclass(frozen=True)
class Running:
    """Running mean and variance after some batches."""

    mean: float
    variance: float


def example(kind: LayerKind) -> Tensor:
    """A small batch of whole numbers. Shape: (4, 3) or (3, 3, 2, 2)."""
    random = torch.Generator().manual_seed(0)
    return torch.randint(0, LARGEST + 1, SHAPES[kind], generator=random).float()


def axes(x: Tensor) -> tuple[int, ...]:
    """The axes over which one mean and one variance are taken: all but the channels.

    Shape: `x` (N, C) or (N, C, H, W).
    Raises: ConfigError for a tensor of another shape.
    """
    if x.dim() not in (2, 4):
        raise ConfigError(
            f"A tensor of shape {tuple(x.shape)} was given; it has to be (N, C), as from a "
            "fully-connected layer, or (N, C, H, W), as from a convolution."
        )
    return tuple(axis for axis in range(x.dim()) if axis != 1)


def averaged(x: Tensor, channel: int) -> Averaged:
    """Mean and variance of one channel, with the numbers that they are made of.

    Shape: `x` (N, C) or (N, C, H, W).
    Raises: ConfigError for another shape, a channel that there is not, or a single number.
    """
    axes(x)
    if not 0 <= channel < x.shape[1]:
        raise ConfigError(f"channel: {channel} was given; it can be 0 to {x.shape[1] - 1}.")
    values = x[:, channel].flatten().double()
    if len(values) < 2:
        raise ConfigError("One number has no variance. Give a batch of two or more.")
    mean = values.mean()
    squares = (values - mean) ** 2
    total, m = float(squares.sum()), len(values)
    return Averaged(values, float(mean), squares, total / m, total / (m - 1))


def standardized(x: Tensor, eps: float = EPS) -> Tensor:
    """Every channel with mean 0 and standard deviation 1. Shape: (N, C) or (N, C, H, W)."""
    over = axes(x)
    mean, variance = x.mean(over, keepdim=True), x.var(over, correction=0, keepdim=True)
    return (x - mean) / (variance + eps).sqrt()


def running(batches: Sequence[Averaged], momentum: float) -> Running:
    """What is left for prediction after these batches; it begins with mean 0 and variance 1.

    `momentum` is the weight of the new batch, as PyTorch means it.

    Raises: ConfigError for a momentum that is not from 0 to 1.
    """
    if not 0 <= momentum <= 1:
        raise ConfigError(f"momentum: {momentum} was given; it can be 0 to 1.")
    mean, variance = 0.0, 1.0
    for batch in batches:
        mean = (1 - momentum) * mean + momentum * batch.mean
        variance = (1 - momentum) * variance + momentum * batch.unbiased
    return Running(mean, variance)
