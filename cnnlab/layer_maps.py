"""What one picture becomes in every layer, kept small enough that many can be kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from cnnlab.errors import ConfigError
from cnnlab.features import ChannelStatistics, channel_statistics, has_head, visit
from cnnlab.trace import Trace

Order = Literal["index", "mean", "variance"]
ORDERS: tuple[Order, ...] = get_args(Order)
# A picture is drawn with 8 bits a colour, so that is what is kept of a value.
STEPS = 255
# Beyond this the sum of a channel's squares would be no float any more.
LARGEST = 1e15
# What one picture may take. VGG-19 at 256 pixels keeps 42 MB and multiplies 25 billion times.
MOST_BYTES = 128 * 2**20
MOST_MACS = 40 * 10**9


@dataclass(frozen=True)
class LayerMaps:
    """The maps of one layer, each channel in 256 steps from its lowest value to its highest.

    Shape: `codes` (C, H, W) of uint8; `low`, `high` and the statistics (C,).
    """

    codes: Tensor
    low: Tensor
    high: Tensor
    statistics: ChannelStatistics = field(repr=False)
    has_non_finite: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.codes.shape)

    @property
    def constant(self) -> Tensor:
        """Which channels have the same value everywhere, where there is more than one value."""
        several = self.codes[0].numel() > 1
        return (self.low == self.high) & several

    @property
    def dead(self) -> Tensor:
        """Which channels are zero everywhere."""
        return self.constant & (self.high == 0)

    def only(self, channel: int) -> "LayerMaps":
        """The maps of one channel."""
        return self.those(torch.tensor([channel]))

    def those(self, channels: Tensor) -> "LayerMaps":
        """The maps of some channels. Shape: `channels` (K,)."""
        found = self.statistics
        return LayerMaps(
            self.codes[channels],
            self.low[channels],
            self.high[channels],
            ChannelStatistics(found.mean[channels], found.std[channels], found.zeros[channels]),
            self.has_non_finite,
        )

    @property
    def mean_map(self) -> Tensor:
        """The mean of all channels at each place. Shape: (H, W)."""
        step = (self.high - self.low) / STEPS
        return torch.einsum("chw,c->hw", self.codes.float(), step) / len(step) + self.low.mean()

    def order(self, by: Order) -> Tensor:
        """The channels as they are to be shown, the largest mean or variance first. Shape: (C,)."""
        if by == "index":
            return torch.arange(len(self.low))
        values = self.statistics.mean if by == "mean" else self.statistics.std
        return values.argsort(descending=True, stable=True)

    def histogram(self, channel: int, bins: int = 32) -> Tensor:
        """How many values of a channel lie in each of `bins` equal parts of its range.

        Shape: (bins,).
        """
        codes = self.codes[channel].flatten().long()
        return torch.bincount(codes * bins // (STEPS + 1), minlength=bins)

    @property
    def nbytes(self) -> int:
        """Memory of the values. Units: bytes."""
        return self.codes.numel()


def keep(maps: Tensor) -> LayerMaps:
    """Reduce the maps of one picture to 256 steps a channel; what is no number counts as zero.

    Shape: (C, H, W).
    """
    values = maps.float()
    # `aminmax`, `isfinite` and `std` would each take ten times as long.
    low, high = values.amin((1, 2)), values.amax((1, 2))
    # One value that is no number makes the lowest and the highest none.
    non_finite = not bool((low.isfinite() & high.isfinite()).all())
    if non_finite or bool(torch.maximum(-low, high).max() > LARGEST):
        values = torch.nan_to_num(values, 0.0, LARGEST, -LARGEST).clamp(-LARGEST, LARGEST)
        low, high = values.amin((1, 2)), values.amax((1, 2))
    span = torch.where(high > low, high - low, 1.0)
    codes = (values - low[:, None, None]).div_(span[:, None, None]).mul_(STEPS).round_()
    return LayerMaps(codes.to(torch.uint8), low, high, channel_statistics(values), non_finite)


@dataclass(frozen=True)
class Seen:
    """What one picture became: the maps of every layer in running order, and the logits.

    A vector is kept as maps of one pixel each. Without the layers that classify there are neither
    vectors nor logits.

    Shape: `logits` (classes,).
    """

    maps: Mapping[str, LayerMaps]
    logits: Tensor | None

    @property
    def nbytes(self) -> int:
        """Memory of all maps, those that two names share counted once. Units: bytes."""
        return sum({id(layer): layer.nbytes for layer in self.maps.values()}.values())


def look(model: nn.Module, batch: Tensor) -> Seen:
    """One forward pass: the maps of every layer and block, in running order.

    A layer's values are reduced as soon as it has run, so that no two layers are ever in memory
    as floats.

    Shape: `batch` (1, C, H, W).
    Raises: ConfigError when the picture does not fit.
    """
    found: dict[str, LayerMaps] = {}
    # A block gives on what its last layer made.
    last: tuple[Tensor, LayerMaps] | None = None

    def note(name: str, y: Tensor) -> None:
        nonlocal last
        if last is None or last[0] is not y:
            last = (y, keep(y[0] if y.dim() == 4 else y[0][:, None, None]))
        if name:
            found[name] = last[1]

    classifies = has_head(model)
    made = visit(model, batch, note, vectors=classifies)
    return Seen(found, made[0].float() if classifies and made.dim() == 2 else None)


def check_price(found: Trace) -> None:
    """Raises: ConfigError when a pass would take more memory or time than one picture may."""
    values = sum(prod(node.output_shape) for node in found.nodes if len(node.output_shape) == 4)
    macs = sum(node.macs for node in found.nodes)
    if values > MOST_BYTES or macs > MOST_MACS:
        raise ConfigError(
            f"One picture takes {macs / 1e9:,.1f} billion multiplications and "
            f"{values / 2**20:,.0f} MB of maps in this network; up to {MOST_MACS / 1e9:,.0f} "
            f"billion and {MOST_BYTES // 2**20} MB are allowed. Make the network narrower or the "
            "input smaller."
        )
