"""AlexNet: five convolutions and three wide fully-connected layers, with ReLU and dropout."""

from typing import Literal

from pydantic import Field
from torch import nn

from cnnlab.networks.options import ACTIVATIONS, Activation, Dropout, Options, Width, scaled

CHANNELS = {
    "book": (96, 256, 384, 384, 256),
    # As in Krizhevsky 2014 ("one weird trick") but for the fourth, which has 384 there.
    "torchvision": (64, 192, 384, 256, 256),
}


class AlexNetOptions(Options):
    """The knobs of AlexNet; the defaults are the book's network."""

    batch_norm: bool = Field(False, description="Normalize after every convolution.")
    activation: Activation = Field("relu", description="What follows every layer but the last.")
    width: Width = 1.0
    hidden: int = Field(4096, ge=16, le=8192, description="Units of the two hidden layers.")
    dropout: Dropout = 0.5
    stem_kernel_size: int = Field(11, ge=3, le=11, description="Window of the first convolution.")
    stem_stride: int = Field(4, ge=1, le=4, description="Step of the first convolution.")
    stem_padding: int = Field(1, ge=0, le=5, description="Zeros around the picture.")
    variant: Literal["book", "torchvision"] = Field(
        "book", description="Channel counts, and torchvision's adaptive pooling before the head."
    )


class AlexNet(nn.Sequential):
    """The network that won ILSVRC-2012, in one tower and without response normalization.

    Shape: (N, in_channels, H, W) -> (N, num_classes).
    Source: D2L 1.0.3, section 8.1; Krizhevsky et al. 2012.
    """

    def __init__(self, options: AlexNetOptions | None = None) -> None:
        super().__init__()
        o = self.options = options or AlexNetOptions()
        c1, c2, c3, c4, c5 = (scaled(c, o.width) for c in CHANNELS[o.variant])

        self.block1 = conv_block(
            o, o.in_channels, c1, o.stem_kernel_size, o.stem_stride, o.stem_padding
        )
        self.pool1 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.block2 = conv_block(o, c1, c2, kernel_size=5, padding=2)
        self.pool2 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.block3 = conv_block(o, c2, c3, kernel_size=3, padding=1)
        self.block4 = conv_block(o, c3, c4, kernel_size=3, padding=1)
        self.block5 = conv_block(o, c4, c5, kernel_size=3, padding=1)
        self.pool5 = nn.MaxPool2d(kernel_size=3, stride=2)

        if o.variant == "torchvision":
            self.pool6 = nn.AdaptiveAvgPool2d(6)
        self.flatten = nn.Flatten()

        # torchvision drops what enters a hidden layer, the book what leaves it.
        if o.variant == "torchvision":
            self.drop5 = nn.Dropout(o.dropout)
        # How many values arrive here follows from the size of the picture: a lazy layer counts
        # them in the first pass.
        self.fc6 = nn.LazyLinear(o.hidden)
        self.act6 = ACTIVATIONS[o.activation]()
        self.drop6 = nn.Dropout(o.dropout)
        self.fc7 = nn.Linear(o.hidden, o.hidden)
        self.act7 = ACTIVATIONS[o.activation]()
        if o.variant == "book":
            self.drop7 = nn.Dropout(o.dropout)
        self.fc8 = nn.Linear(o.hidden, o.num_classes)


def conv_block(
    o: AlexNetOptions,
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
) -> nn.Sequential:
    """A convolution with its normalization, where wanted, and its activation."""
    block = nn.Sequential()
    block.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding)
    if o.batch_norm:
        block.norm = nn.BatchNorm2d(out_channels)
    block.act = ACTIVATIONS[o.activation]()
    return block


PRESETS = {
    "d2l": AlexNetOptions(),
    "torchvision": AlexNetOptions(
        in_channels=3, num_classes=1000, variant="torchvision", stem_padding=2
    ),
    "small": AlexNetOptions(
        width=0.25, hidden=256, stem_kernel_size=5, stem_stride=2, stem_padding=2
    ),
}
