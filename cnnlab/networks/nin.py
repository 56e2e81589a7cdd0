"""Network in network: 1×1 convolutions at every pixel, global average pooling at the end."""

from typing import Literal

from pydantic import Field
from torch import nn

from cnnlab.networks.options import ACTIVATIONS, Activation, Dropout, Head, Options, Width, scaled


class NiNOptions(Options):
    """The knobs of NiN; the defaults are the book's network."""

    pointwise: int = Field(2, ge=0, le=4, description="1×1 convolutions in each block.")
    pointwise_kernel_size: Literal[1, 3] = Field(
        1,
        title="Inner kernel size",
        description="Window of the convolutions after the first of a block: 1×1, or padded 3×3 "
        "in their place.",
    )
    head: Head = "average"
    batch_norm: bool = Field(False, description="Normalize after every convolution.")
    activation: Activation = Field("relu", description="What follows every convolution.")
    width: Width = 1.0
    dropout: Dropout = 0.5
    final_activation: bool = Field(
        True, description="End in the activation, as the book does: with ReLU a class can die."
    )
    stem_kernel_size: int = Field(11, ge=3, le=11, description="Window of the first convolution.")
    stem_stride: int = Field(4, ge=1, le=4, description="Step of the first convolution.")


class NiNBlock(nn.Sequential):
    """A convolution, then 1×1 convolutions: a small network that reads every pixel's channels.

    Shape: (N, in_channels, H, W) -> (N, out_channels, H', W').
    Source: Lin et al. 2013, section 3.1.
    """

    def __init__(
        self,
        o: NiNOptions,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        final_activation: bool = True,
    ) -> None:
        super().__init__()
        side = o.pointwise_kernel_size
        for i in range(1 + o.pointwise):
            conv = (
                nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding)
                if i == 0
                else nn.Conv2d(out_channels, out_channels, side, padding=side // 2)
            )
            self.add_module(f"conv{i + 1}", conv)
            if i < o.pointwise or final_activation:
                if o.batch_norm:
                    self.add_module(f"norm{i + 1}", nn.BatchNorm2d(out_channels))
                self.add_module(f"act{i + 1}", ACTIVATIONS[o.activation]())


class NiN(nn.Sequential):
    """Four NiN blocks; the last has one channel per class, averaged to the logits.

    The other head reads all pixels of these channels, as in the paper's section 4.6.

    Shape: (N, in_channels, H, W) -> (N, num_classes).
    Source: D2L 1.0.3, section 8.3; Lin et al. 2013.
    """

    def __init__(self, options: NiNOptions | None = None) -> None:
        super().__init__()
        o = self.options = options or NiNOptions()
        c1, c2, c3 = (scaled(c, o.width) for c in (96, 256, 384))

        self.block1 = NiNBlock(o, o.in_channels, c1, o.stem_kernel_size, o.stem_stride)
        self.pool1 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.block2 = NiNBlock(o, c1, c2, kernel_size=5, padding=2)
        self.pool2 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.block3 = NiNBlock(o, c2, c3, kernel_size=3, padding=1)
        self.pool3 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.drop = nn.Dropout(o.dropout)
        self.block4 = NiNBlock(
            o, c3, o.num_classes, 3, padding=1, final_activation=o.final_activation
        )
        if o.head == "average":
            self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        if o.head == "fully_connected":
            # How many pixels arrive here follows from the size of the picture.
            self.fc = nn.LazyLinear(o.num_classes)


PRESETS = {
    "d2l": NiNOptions(),
    "small": NiNOptions(width=0.25, stem_kernel_size=5, stem_stride=2, dropout=0.2),
}
