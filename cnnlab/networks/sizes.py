"""How the side of a picture shrinks on its way through convolutions and pooling."""

from itertools import count
from typing import Any

from torch import nn

from cnnlab.errors import ConfigError


def output_size(layers: nn.Module, image_size: int) -> int:
    """Side of the feature map that `layers` make of a square picture; 0 where nothing is left.

    Every convolution and pooling with kernel k, stride s and padding p maps n pixels
    to floor((n + 2p - k) / s) + 1.

    Units: pixels.
    """
    size = image_size
    for layer in layers.modules():
        if not isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            continue
        kernel, stride, padding = map(square, (layer.kernel_size, layer.stride, layer.padding))
        size = (size + 2 * padding - kernel) // stride + 1
        if size < 1:
            return 0
    return size


def square(side: Any) -> int:
    """One number where PyTorch allows one per axis; the chapter's windows are square."""
    return int(side if isinstance(side, int) else side[0])


def flattened_features(layers: nn.Module, channels: int, image_size: int) -> int:
    """Number of values that reach the first fully-connected layer.

    Raises: ConfigError when the picture is too small, naming the smallest size that works.
    """
    size = output_size(layers, image_size)
    if size == 0:
        smallest = next(n for n in count(1) if output_size(layers, n) > 0)
        raise ConfigError(
            f"A picture of {image_size}×{image_size} pixels is too small for this "
            f"{type(layers).__name__}: nothing would be left of it before the fully-connected "
            f"layers. The smallest size that works is {smallest}×{smallest}."
        )
    return channels * size * size
