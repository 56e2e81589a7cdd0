"""The arithmetic of one value, with its numbers: what is multiplied, added, compared, passed on."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Part:
    """What one input channel, or one feature, adds to a sum."""

    channel: int
    amount: float


@dataclass(frozen=True)
class WeightedSum:
    """Every value of a patch times its weight, all added up, and a bias: convolution, or a layer
    that is fully connected.

    `channels` are those of the input that are read: one group's. `inside`: which values lie on the
    map; the others are zeros of the padding.

    Shape: `patch` and `kernel` (C, k, k'), `inside` (k, k'); a feature is a patch of one value.
    """

    patch: Tensor
    kernel: Tensor
    inside: Tensor
    bias: float
    channels: range
    has_bias: bool = True

    @cached_property
    def products(self) -> Tensor:
        """Shape: (C, k, k')."""
        return self.patch.double() * self.kernel.double()

    @property
    def total(self) -> float:
        """What the products add up to, without the bias."""
        return float(self.products.sum())

    @property
    def result(self) -> float:
        return self.total + self.bias

    def largest(self, count: int) -> tuple[list[Part], float]:
        """The channels that add most, up or down, and what all others add together."""
        sums = self.products.sum((1, 2))
        first = sums.abs().topk(min(count, len(sums))).indices.tolist()
        parts = [Part(self.channels[i], float(sums[i])) for i in first]
        return parts, self.total - sum(part.amount for part in parts)


@dataclass(frozen=True)
class Average:
    """The mean of a patch. `count` is what the sum is divided by: padding may be among it.

    Shape: `patch` and `inside` (k, k').
    """

    patch: Tensor
    inside: Tensor
    count: int

    @property
    def total(self) -> float:
        return float(self.patch.double()[self.inside].sum())

    @property
    def result(self) -> float:
        return self.total / self.count


@dataclass(frozen=True)
class Maximum:
    """The largest value of a patch; padding never wins. Shape: `patch` and `inside` (k, k')."""

    patch: Tensor
    inside: Tensor

    @property
    def place(self) -> tuple[int, int]:
        """Row and column in the patch of the first of the largest."""
        found = int(self.patch.masked_fill(~self.inside, -torch.inf).argmax())
        return found // self.patch.shape[1], found % self.patch.shape[1]

    @property
    def result(self) -> float:
        return float(self.patch[self.place])


@dataclass(frozen=True)
class Activation:
    """A function of one value. `slope` is that of leaky ReLU below zero."""

    function: str
    x: float
    result: float
    slope: float = 0.0


@dataclass(frozen=True)
class Normalization:
    """Batch normalization: subtract the mean, divide by the standard deviation, scale, shift.

    One that subtracts nothing has mean 0, one that divides by nothing has deviation 1.
    """

    x: float
    mean: float
    deviation: float
    gamma: float
    beta: float

    @property
    def standardized(self) -> float:
        return (self.x - self.mean) / self.deviation

    @property
    def result(self) -> float:
        return self.gamma * self.standardized + self.beta


@dataclass(frozen=True)
class Joined:
    """A value of one of several maps that stand behind each other: the `part`-th's `channel`.

    `sizes` are the channels of each of them.
    """

    part: int
    channel: int
    sizes: tuple[int, ...]
    result: float


@dataclass(frozen=True)
class Combined:
    """Values in the same place of several inputs: their sum, or their product."""

    operation: str
    values: tuple[float, ...]

    @property
    def result(self) -> float:
        found = torch.tensor(self.values, dtype=torch.float64)
        return float(found.prod() if self.operation == "mul" else found.sum())


@dataclass(frozen=True)
class Dropout:
    """In prediction the value itself; in training zero, or what makes up for the others' zeros."""

    x: float
    p: float

    @property
    def kept(self) -> float:
        """What training makes of it, where it is not set to zero."""
        return self.x / (1 - self.p) if self.p < 1 else 0.0

    @property
    def mean(self) -> float:
        """What training makes of it on average."""
        return (1 - self.p) * self.kept

    @property
    def result(self) -> float:
        return self.x


@dataclass(frozen=True)
class Passed:
    """A value that stood elsewhere: `source` is its place in the input, () for a filled-in zero."""

    source: tuple[int, ...]
    result: float


@dataclass(frozen=True)
class Softmax:
    """One of several shares that add up to 1. Shape: `logits` (K,)."""

    logits: Tensor
    index: int

    @cached_property
    def exponentials(self) -> Tensor:
        """Of the logits less the largest one, which changes no share but keeps them finite."""
        found = self.logits.double()
        return (found - found.max()).exp()

    @property
    def result(self) -> float:
        return float(self.exponentials[self.index] / self.exponentials.sum())


Arithmetic = (
    WeightedSum
    | Average
    | Maximum
    | Activation
    | Normalization
    | Joined
    | Combined
    | Dropout
    | Passed
    | Softmax
)
