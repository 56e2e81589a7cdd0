"""A 1×1 convolution beside a fully-connected layer at every pixel, with the same weights."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from cnnlab import catalog
from cnnlab.errors import ConfigError
from cnnlab.training import checkpoint

NETWORK, BLOCK, LAYER = "nin", "block1", "conv2"
IN_CHANNELS, IMAGE_SIZE = 3, 64


@dataclass(frozen=True)
class Pointwise:
    """What both layers make of the same maps, and the weights that they share.

    Shape: `maps` (C, H, W); `convolved` and `connected` (K, H, W); `weight` (K, C); `bias` (K,).
    """

    maps: Tensor
    convolved: Tensor
    connected: Tensor
    weight: Tensor
    bias: Tensor

    @property
    def largest_difference(self) -> float:
        """The largest distance between the two results, over all channels and pixels."""
        return float((self.convolved - self.connected).abs().max())

    def products(self, channel: int, row: int, column: int) -> Tensor:
        """What is summed up at one pixel: its channels, each times its weight. Shape: (C,)."""
        return self.weight[channel] * self.maps[:, row, column]


def both(batch: Tensor) -> Pointwise:
    """The first 1×1 convolution of NiN with fresh weights, and the same as `nn.Linear`.

    Shape: `batch` (1, 3, 64, 64), a picture as the network takes it.
    Raises: ConfigError for a batch of another shape.
    Source: Lin et al. 2013, section 3.1.
    """
    wanted = (1, IN_CHANNELS, IMAGE_SIZE, IMAGE_SIZE)
    if tuple(batch.shape) != wanted:
        raise ConfigError(
            f"batch: the shape {tuple(batch.shape)} was given; it has to be {wanted}. "
            f"`images.to_batch(picture, {IMAGE_SIZE}, {IN_CHANNELS})` makes it so."
        )
    convolution = layer()
    assert convolution.bias is not None
    connected = as_fully_connected(convolution)
    with torch.no_grad():
        maps = before(batch)
        # The channels last: then each pixel is an example, and its channels are the features.
        pixels = maps[0].permute(1, 2, 0)
        return Pointwise(
            maps=maps[0],
            convolved=convolution(maps)[0],
            connected=connected(pixels).permute(2, 0, 1),
            weight=connected.weight.detach(),
            bias=connected.bias.detach(),
        )


def as_fully_connected(convolution: nn.Conv2d) -> nn.Linear:
    """The fully-connected layer with the weights of a 1×1 convolution.

    Raises: ConfigError for a convolution that reads more than one pixel, or has no bias.
    """
    if convolution.kernel_size != (1, 1) or convolution.groups != 1 or convolution.bias is None:
        raise ConfigError(
            f"{convolution} was given; it has to be a 1×1 convolution of one group with a bias."
        )
    # Nothing is drawn for it: the weights are those of the convolution, not a copy of them.
    layer = nn.Linear(convolution.in_channels, convolution.out_channels, device="meta")
    layer.weight = nn.Parameter(convolution.weight.detach()[:, :, 0, 0])
    layer.bias = nn.Parameter(convolution.bias.detach())
    return layer


@lru_cache(maxsize=1)
def block() -> nn.Module:
    """The first block of the small NiN as a run with seed 0 begins."""
    options = catalog.network(NETWORK).preset("small").replace(in_channels=IN_CHANNELS)
    return checkpoint.fresh(NETWORK, options, IMAGE_SIZE, seed=0).get_submodule(BLOCK)


def layer() -> nn.Conv2d:
    """The 1×1 convolution that is looked at."""
    found = block().get_submodule(LAYER)
    assert isinstance(found, nn.Conv2d)
    return found


def before(batch: Tensor) -> Tensor:
    """What reaches the 1×1 convolution. Shape: (1, 3, 64, 64) -> (1, C, H, W)."""
    x = batch
    for name, module in block().named_children():
        if name == LAYER:
            break
        x = module(x)
    return x
