"""VGG: blocks of small convolutions, each block ending in a pooling that halves the picture."""

from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from cnnlab.networks.options import ACTIVATIONS, Activation, Dropout, Options
from cnnlab.validated import Counts, Offered, counts

# Convolutions in each of the five blocks; with the three fully-connected layers they
# give the network its number. Simonyan & Zisserman 2014, table 1: A, B, D, E. Our own are 8,
# for laptops, and 18, so that one, two or three 3×3 can be held against one wider window.
CONVOLUTIONS = {
    8: (1, 1, 1, 1, 1),
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    18: (3, 3, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


# Or as many as you like, in as many blocks.
Blocks = Annotated[
    str,
    Counts(longest=7, most=6, total=30, instead_of="depth", otherwise="convolutions"),
    Offered(("", "1-1-1", "2-2-2", "1-2-3-4")),
]


class VGGOptions(Options):
    """The knobs of VGG; the defaults are the width that the book trains."""

    depth: Literal[8, 11, 13, 16, 18, 19] = Field(
        11,
        description="Layers with weights. 8, 13 and 18 have one, two and three convolutions in "
        "every block; 8 and 18 are not in the paper.",
    )
    blocks: Blocks = Field(
        "",
        title="Convolutions per block",
        description="A list such as 1-2-3 makes blocks of your own in place of the depth's.",
    )
    kernel_size: Literal[3, 5, 7] = Field(
        3, description="Side of the convolution windows; the padding keeps the size."
    )
    base_channels: int = Field(
        16,
        ge=1,
        le=128,
        description="Channels of the first block; each doubles them, up to 8-fold.",
    )
    batch_norm: bool = Field(False, description="Normalize after every convolution.")
    activation: Activation = Field("relu", description="What follows every layer but the last.")
    hidden: int = Field(4096, ge=16, le=8192, description="Units of the two hidden layers.")
    dropout: Dropout = 0.5
    adaptive_pool: bool = Field(
        False, description="Pool to 7×7 before the head, so that any picture fits (torchvision)."
    )

    @property
    def convolutions(self) -> tuple[int, ...]:
        """How many there are in each block."""
        return counts(self.blocks) or CONVOLUTIONS[self.depth]


class VGGBlock(nn.Sequential):
    """Convolutions that keep the size, then a max-pooling that halves it.

    Shape: (N, in_channels, H, W) -> (N, out_channels, H // 2, W // 2).
    """

    def __init__(
        self, o: VGGOptions, convolutions: int, in_channels: int, out_channels: int
    ) -> None:
        super().__init__()
        for i in range(1, convolutions + 1):
            conv = nn.Conv2d(in_channels, out_channels, o.kernel_size, padding=o.kernel_size // 2)
            self.add_module(f"conv{i}", conv)
            if o.batch_norm:
                self.add_module(f"norm{i}", nn.BatchNorm2d(out_channels))
            self.add_module(f"act{i}", ACTIVATIONS[o.activation]())
            in_channels = out_channels
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)


class VGG(nn.Sequential):
    """VGG blocks, five in the paper, and AlexNet's fully-connected head.

    Shape: (N, in_channels, H, W) -> (N, num_classes).
    Source: D2L 1.0.3, section 8.2; Simonyan & Zisserman 2014.
    """

    def __init__(self, options: VGGOptions | None = None) -> None:
        super().__init__()
        o = self.options = options or VGGOptions()

        channels = o.in_channels
        for i, convolutions in enumerate(o.convolutions):
            out_channels = o.base_channels * min(2**i, 8)
            self.add_module(f"block{i + 1}", VGGBlock(o, convolutions, channels, out_channels))
            channels = out_channels

        if o.adaptive_pool:
            self.pool = nn.AdaptiveAvgPool2d(7)
        self.flatten = nn.Flatten()
        # How many values arrive here follows from the size of the picture: a lazy layer counts
        # them in the first pass.
        self.fc1 = nn.LazyLinear(o.hidden)
        self.act1 = ACTIVATIONS[o.activation]()
        self.drop1 = nn.Dropout(o.dropout)
        self.fc2 = nn.Linear(o.hidden, o.hidden)
        self.act2 = ACTIVATIONS[o.activation]()
        self.drop2 = nn.Dropout(o.dropout)
        self.fc3 = nn.Linear(o.hidden, o.num_classes)


def published(depth: Literal[11, 13, 16, 19]) -> VGGOptions:
    """A network of the paper at full width, as torchvision builds it for ImageNet."""
    return VGGOptions(
        depth=depth, base_channels=64, in_channels=3, num_classes=1000, adaptive_pool=True
    )


PRESETS = {
    "d2l": VGGOptions(),
    "d2l_full": VGGOptions(base_channels=64),
    "vgg11": published(11),
    "vgg13": published(13),
    "vgg16": published(16),
    "vgg19": published(19),
    "small": VGGOptions(hidden=256),
}
