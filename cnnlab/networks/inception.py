"""Inception blocks look at several scales at once and concatenate what they see."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from cnnlab.networks.options import ACTIVATIONS, Activation, Options, scaled

# Channels of the four paths: 1×1 | 1×1 -> 3×3 | 1×1 -> 5×5 | pooling -> 1×1; 0 for none.
Paths = tuple[int, tuple[int, int], tuple[int, int], int]


class InceptionOptions(Options):
    """The knobs of a block."""

    paths: Literal[
        "all", "without_1x1", "without_3x3", "without_5x5", "without_pooling", "3x3_alone"
    ] = Field(
        "all",
        description="Which paths a block has. 3×3 alone makes the channels of all four, its 1×1 "
        "as wide as makes it cost the parameters of all four.",
    )
    reductions: bool = Field(
        True,
        description="The 1×1 before the 3×3 and the 5×5 and after the pooling. Without them the "
        "pooling passes on every channel that it reads.",
    )
    batch_norm: bool = Field(False, description="Normalize after every convolution.")
    activation: Activation = Field("relu", description="What follows every convolution.")
    variant: Literal["book", "torchvision"] = Field(
        "book", description="torchvision: 3×3 for 5×5, other pooling borders, no bias."
    )


class Conv(nn.Sequential):
    """A convolution with its normalization, where wanted, and its activation."""

    def __init__(
        self,
        o: InceptionOptions,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
    ) -> None:
        super().__init__()
        bias, eps = (True, 1e-5) if o.variant == "book" else (False, 1e-3)
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=bias)
        if o.batch_norm:
            self.norm = nn.BatchNorm2d(out_channels, eps)
        self.act = ACTIVATIONS[o.activation]()


class Inception(nn.Module):
    """Four paths over the same input, concatenated along the channels.

    Shape: (N, in_channels, H, W) -> (N, sum of the paths' channels, H, W).
    Source: Szegedy et al. 2014, section 5; figure 2a without reductions, figure 2b with them.
    """

    def __init__(self, o: InceptionOptions, in_channels: int, paths: Paths) -> None:
        super().__init__()
        c1, (c2_in, c2), (c3_in, c3), c4 = chosen_paths(o, in_channels, paths)
        if c1:
            self.path1 = Conv(o, in_channels, c1, kernel_size=1)
        if c2:
            self.path2 = reduced(o, in_channels, c2_in, c2, kernel_size=3)
        if c3:
            self.path3 = reduced(o, in_channels, c3_in, c3, kernel_size=large_kernel(o))
        if c4:
            self.path4 = nn.Sequential(nn.MaxPool2d(kernel_size=3, stride=1, padding=1))
            if o.reductions:
                self.path4.append(Conv(o, in_channels, c4, kernel_size=1))
            else:
                c4 = in_channels
        self.out_channels = c1 + c2 + c3 + c4

    def forward(self, x: Tensor) -> Tensor:
        outputs = [path(x) for path in self.children()]
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)


def reduced(
    o: InceptionOptions, in_channels: int, narrow: int, out_channels: int, kernel_size: int
) -> nn.Sequential:
    """A 1×1 convolution to few channels, where wanted, and the wide one that it makes cheap."""
    layers = nn.Sequential()
    if o.reductions:
        layers.append(Conv(o, in_channels, narrow, kernel_size=1))
        in_channels = narrow
    layers.append(Conv(o, in_channels, out_channels, kernel_size, padding=kernel_size // 2))
    return layers


def large_kernel(o: InceptionOptions) -> int:
    """The window of the third path; torchvision's is smaller than the paper's."""
    return 5 if o.variant == "book" else 3


def chosen_paths(o: InceptionOptions, in_channels: int, paths: Paths) -> Paths:
    """The channel counts of those paths that a block has."""
    c1, (c2_in, c2), (c3_in, c3), c4 = paths
    if o.paths == "3x3_alone":
        # The channels of all four, behind a reduction of the width that gives their weights.
        out = c1 + c2 + c3 + c4
        weights = in_channels * (c1 + c2_in + c3_in + c4)
        weights += 9 * c2_in * c2 + large_kernel(o) ** 2 * c3_in * c3
        return 0, (round(weights / (in_channels + 9 * out)), out), (0, 0), 0
    return (
        0 if o.paths == "without_1x1" else c1,
        (0, 0) if o.paths == "without_3x3" else (c2_in, c2),
        (0, 0) if o.paths == "without_5x5" else (c3_in, c3),
        0 if o.paths == "without_pooling" else c4,
    )


def scaled_paths(paths: Paths, width: float) -> Paths:
    """The channel counts of a block's paths times the width factor."""
    c1, (c2_in, c2), (c3_in, c3), c4 = paths
    return (
        scaled(c1, width),
        (scaled(c2_in, width), scaled(c2, width)),
        (scaled(c3_in, width), scaled(c3, width)),
        scaled(c4, width),
    )
