"""What one picture becomes in every layer, kept small enough that many can be kept."""

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from cnnlab.features import ChannelStatistics, channel_statistics, has_head, visit

Order = Literal["index", "mean", "variance"]
ORDERS: tuple[Order, ...] = get_args(Order)
# A picture is drawn with 8 bits a colour, so that is what is kept of a value.
STEPS = 255
# Beyond this the sum of a channel's squares would be no float any more.
LARGEST = 1e15
# A layer of more values is made again when it is asked for. Large layers come early in a network,
# and what comes after them does not run again.
SMALL = 100_000
# What the small ones of one picture may be together: 8 MB. ResNet-50 has as many at 224 pixels.
WAITING = 2_000_000
FLOAT = 4
# What is kept of a channel beside its codes: two ends and three statistics.
NUMBERS = 5


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
        values = bounded(values)
        low, high = values.amin((1, 2)), values.amax((1, 2))
    span = torch.where(high > low, high - low, 1.0)
    codes = (values - low[:, None, None]).div_(span[:, None, None]).mul_(STEPS).round_()
    return LayerMaps(codes.to(torch.uint8), low, high, channel_statistics(values), non_finite)


def bounded(values: Tensor) -> Tensor:
    """The values with zero for what is no number, none of them too large to be computed with."""
    return torch.nan_to_num(values, 0.0, LARGEST, -LARGEST).clamp_(-LARGEST, LARGEST)


def mean_of(maps: Tensor) -> Tensor:
    """The mean over channels at each place. Shape: (C, H, W) -> (H, W)."""
    mean = maps.float().mean(0)
    # Hardly ever more than this one comparison, which what is no number fails.
    if torch.linalg.vector_norm(mean, math.inf).item() <= LARGEST:
        return mean
    return bounded(maps.float()).mean(0)


class Output:
    """What one layer gave on. Where it `waits`, its values are kept until its maps are asked for.

    `name` is the layer's; a block that gives on the same has another name for it. `vector` are the
    values where there is one pixel.

    Shape: `values` (C, H, W), `mean` (H, W), `vector` (C,).
    """

    def __init__(self, name: str, values: Tensor, waits: bool) -> None:
        self.name, self.waits = name, waits
        self.channels, self.height, self.width = values.shape
        self.mean = mean_of(values)
        is_vector = self.height == self.width == 1
        self.vector = bounded(values[:, 0, 0].float()) if is_vector else None
        self._values = on_its_own(values) if waits else None
        self._maps: LayerMaps | None = None
        # Nothing that waits for another visitor is done while it is held.
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Memory now, or once the maps were asked for, whichever is more. Units: bytes."""
        kept = self.channels * (self.mean.numel() + NUMBERS) if self.waits else 0
        vector = 0 if self.vector is None else self.channels
        return FLOAT * (kept + self.mean.numel() + vector)

    def maps(self) -> LayerMaps | None:
        """The maps; nothing where the values were not kept."""
        with self._lock:
            if self._values is not None:
                self._maps, self._values = keep(self._values), None
            return self._maps


def on_its_own(values: Tensor) -> Tensor:
    """The values, copied where they are a part of something larger, which would stay with them."""
    is_part = values.untyped_storage().nbytes() > values.numel() * values.element_size()
    return values.clone() if is_part else values


class Layers(Mapping[str, LayerMaps]):
    """The maps of every layer and block by name, in running order; all visitors share it.

    A layer is reduced when it is first asked for. What was too large to be kept is made `again`
    each time, by the name of the layer that made it: where it is kept is up to whoever gives that.

    `nbytes` is what all of it takes at most.
    """

    def __init__(self, outputs: Mapping[str, Output], again: Callable[[str], LayerMaps]) -> None:
        self._outputs, self._again = outputs, again
        each_once = {id(output): output for output in outputs.values()}.values()
        self.nbytes = sum(output.nbytes for output in each_once)

    def __getitem__(self, name: str) -> LayerMaps:
        output = self._outputs[name]
        maps = output.maps()
        return self._again(output.name) if maps is None else maps

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)

    # Mapping's would reduce the layer.
    def __contains__(self, name: object) -> bool:
        return name in self._outputs

    def shape(self, name: str) -> tuple[int, int, int]:
        """The shape of a layer's maps: channels, height, width."""
        output = self._outputs[name]
        return output.channels, output.height, output.width

    def mean(self, name: str) -> Tensor:
        """The mean over a layer's channels at each place. Shape: (H, W)."""
        return self._outputs[name].mean

    def vector(self, name: str) -> Tensor | None:
        """The values of a layer whose maps are of one pixel; nothing of others. Shape: (C,)."""
        return self._outputs[name].vector


@dataclass(frozen=True)
class Seen:
    """What one picture became: the maps of every layer in running order, and the logits.

    A vector is kept as maps of one pixel each. Without the layers that classify there are neither
    vectors nor logits.

    Shape: `logits` (classes,).
    """

    maps: Layers
    logits: Tensor | None
    # Of which large layers are made again.
    picture: Tensor = field(repr=False)

    @property
    def nbytes(self) -> int:
        """Memory of it all, the same before and after a layer is looked at. Units: bytes."""
        return self.maps.nbytes + FLOAT * self.picture.numel()


def look(model: nn.Module, batch: Tensor, again: Callable[[str], LayerMaps] | None = None) -> Seen:
    """One forward pass: every layer and block in running order, reduced as they are looked at.

    `again` makes a large layer once more by its name; without it, from this model and batch.

    Shape: `batch` (1, C, H, W).
    Raises: ConfigError when the picture does not fit.
    """
    found: dict[str, Output] = {}
    waiting = 0
    # A block gives on what its last layer made.
    last: tuple[Tensor, Output] | None = None

    def note(name: str, y: Tensor) -> None:
        nonlocal last, waiting
        if not name:
            return
        if last is None or last[0] is not y:
            values = as_maps(y)
            waits = values.numel() <= min(SMALL, WAITING - waiting)
            waiting += waits * values.numel()
            last = y, Output(name, values, waits)
        found[name] = last[1]

    classifies = has_head(model)
    made = visit(model, batch, note, vectors=classifies)
    logits = made[0].float() if classifies and made.dim() == 2 else None
    layers = Layers(found, again or partial(layer_again, model, batch))
    return Seen(layers, logits, batch)


class _Enough(Exception):
    """The layer that is asked for has run."""


def layer_again(model: nn.Module, batch: Tensor, name: str) -> LayerMaps:
    """The maps of one layer, by a pass that ends there.

    Shape: `batch` (1, C, H, W).
    Raises: ConfigError when the picture does not fit or there is no such layer.
    """
    made: list[LayerMaps] = []

    def end(_name: str, y: Tensor) -> None:
        made.append(keep(as_maps(y)))
        raise _Enough

    with suppress(_Enough):
        visit(model, batch, end, [name], vectors=True)
    return made[0]


def as_maps(y: Tensor) -> Tensor:
    """The output of a layer for one picture; a vector as maps of one pixel. Shape: (C, H, W)."""
    return y[0] if y.dim() == 4 else y[0][:, None, None]
