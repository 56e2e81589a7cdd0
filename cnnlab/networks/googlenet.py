"""GoogLeNet: Inception blocks look at several scales at once and concatenate what they see."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from cnnlab.networks.options import ACTIVATIONS, Activation, Dropout, Options, Width, scaled

# Channels of the four paths: 1×1 | 1×1 -> 3×3 | 1×1 -> 5×5 | pooling -> 1×1.
Paths = tuple[int, tuple[int, int], tuple[int, int], int]
STAGES: dict[int, dict[str, Paths]] = {
    3: {"a": (64, (96, 128), (16, 32), 32), "b": (128, (128, 192), (32, 96), 64)},
    4: {
        "a": (192, (96, 208), (16, 48), 64),
        "b": (160, (112, 224), (24, 64), 64),
        "c": (128, (128, 256), (24, 64), 64),
        "d": (112, (144, 288), (32, 64), 64),
        "e": (256, (160, 320), (32, 128), 128),
    },
    5: {"a": (256, (160, 320), (32, 128), 128), "b": (384, (192, 384), (48, 128), 128)},
}


class GoogLeNetOptions(Options):
    """The knobs of GoogLeNet; the defaults are the book's network."""

    width: Width = 1.0
    batch_norm: bool = Field(False, description="Normalize after every convolution.")
    activation: Activation = Field("relu", description="What follows every convolution.")
    dropout: Dropout = 0.0
    variant: Literal["book", "torchvision"] = Field(
        "book", description="torchvision: 3×3 for 5×5, other pooling borders, no bias."
    )


class Conv(nn.Sequential):
    """A convolution with its normalization, where wanted, and its activation."""

    def __init__(
        self,
        o: GoogLeNetOptions,
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
    Source: Szegedy et al. 2014, section 5.
    """

    def __init__(self, o: GoogLeNetOptions, in_channels: int, paths: Paths) -> None:
        super().__init__()
        c1, (c2_in, c2), (c3_in, c3), c4 = paths
        large = 5 if o.variant == "book" else 3
        self.path1 = Conv(o, in_channels, c1, kernel_size=1)
        self.path2 = nn.Sequential(
            Conv(o, in_channels, c2_in, kernel_size=1), Conv(o, c2_in, c2, 3, padding=1)
        )
        self.path3 = nn.Sequential(
            Conv(o, in_channels, c3_in, kernel_size=1),
            Conv(o, c3_in, c3, large, padding=large // 2),
        )
        self.path4 = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1),
            Conv(o, in_channels, c4, kernel_size=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.path1(x), self.path2(x), self.path3(x), self.path4(x)], dim=1)


class GoogLeNet(nn.Sequential):
    """A stem, nine Inception blocks in three stages, global average pooling.

    Shape: (N, in_channels, H, W) -> (N, num_classes).
    Source: D2L 1.0.3, section 8.4; Szegedy et al. 2014.
    """

    def __init__(self, options: GoogLeNetOptions | None = None) -> None:
        super().__init__()
        o = self.options = options or GoogLeNetOptions()
        c1, c2, c3 = (scaled(c, o.width) for c in (64, 64, 192))

        self.conv1 = Conv(o, o.in_channels, c1, kernel_size=7, stride=2, padding=3)
        self.pool1 = max_pool(o, kernel_size=3)
        self.conv2 = Conv(o, c1, c2, kernel_size=1)
        self.conv3 = Conv(o, c2, c3, kernel_size=3, padding=1)
        self.pool2 = max_pool(o, kernel_size=3)

        channels = c3
        for stage, blocks in STAGES.items():
            for letter, paths in blocks.items():
                paths = scaled_paths(paths, o.width)
                self.add_module(f"inception{stage}{letter}", Inception(o, channels, paths))
                channels = paths[0] + paths[1][1] + paths[2][1] + paths[3]
            if stage == 3:
                self.pool3 = max_pool(o, kernel_size=3)
            elif stage == 4:
                self.pool4 = max_pool(o, kernel_size=3 if o.variant == "book" else 2)

        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        if o.dropout:
            self.drop = nn.Dropout(o.dropout)
        self.fc = nn.Linear(channels, o.num_classes)


def max_pool(o: GoogLeNetOptions, kernel_size: int) -> nn.MaxPool2d:
    """The pooling that halves the picture: the book pads it, torchvision rounds the size up."""
    if o.variant == "book":
        return nn.MaxPool2d(kernel_size, stride=2, padding=1)
    return nn.MaxPool2d(kernel_size, stride=2, ceil_mode=True)


def scaled_paths(paths: Paths, width: float) -> Paths:
    """The channel counts of a block's paths times the width factor."""
    c1, (c2_in, c2), (c3_in, c3), c4 = paths
    return (
        scaled(c1, width),
        (scaled(c2_in, width), scaled(c2, width)),
        (scaled(c3_in, width), scaled(c3, width)),
        scaled(c4, width),
    )


PRESETS = {
    "d2l": GoogLeNetOptions(),
    "torchvision": GoogLeNetOptions(
        in_channels=3, num_classes=1000, batch_norm=True, dropout=0.2, variant="torchvision"
    ),
    "small": GoogLeNetOptions(width=0.25, batch_norm=True),
}
