"""ResNet: every block adds what it computes to what it was given."""

from typing import Literal

from pydantic import Field
from torch import nn

from cnnlab.networks.options import ACTIVATIONS
from cnnlab.networks.residual import (
    Block,
    Bottleneck,
    PreActivation,
    PreActivationBottleneck,
    Residual,
    ResidualOptions,
    norm,
)

# Blocks in each of the four stages; He et al. 2015, table 1 (10 is our own, for laptops).
BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}


class ResNetOptions(ResidualOptions):
    """The knobs of ResNet; the defaults are the book's ResNet-18."""

    depth: Literal[10, 18, 34, 50] = Field(18, description="Layers with weights on the main path.")
    base_channels: int = Field(
        64, ge=4, le=128, description="Channels of the first stage; they double at every stage."
    )
    stem: Literal["7x7", "3x3"] = Field(
        "7x7", description="7×7 with stride 2 and pooling, or 3×3 for small pictures."
    )


class ResNet(nn.Sequential):
    """A stem, four stages of residual blocks, global average pooling.

    Shape: (N, in_channels, H, W) -> (N, num_classes).
    Source: D2L 1.0.3, section 8.6; He et al. 2015 and, with the other order, 2016.
    """

    def __init__(self, options: ResNetOptions | None = None) -> None:
        super().__init__()
        o = self.options = options or ResNetOptions()
        block = block_type(o)

        self.stem = stem(o)
        channels = o.base_channels
        for i, blocks in enumerate(BLOCKS[o.depth]):
            width = o.base_channels * 2**i
            stage = nn.Sequential()
            for j in range(blocks):
                stride = 2 if i > 0 and j == 0 else 1
                stage.add_module(f"block{j + 1}", block(o, channels, width, stride))
                channels = block.expansion * width
            self.add_module(f"stage{i + 1}", stage)
        if o.order == "pre-activation":
            # Nothing has followed the last sum.
            self.norm = norm(o, channels)
            self.act = ACTIVATIONS[o.activation]()
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(channels, o.num_classes)


def block_type(o: ResNetOptions) -> type[Block]:
    """What the stages are made of; deep networks narrow their blocks to afford them."""
    if o.order == "pre-activation":
        return PreActivationBottleneck if o.depth >= 50 else PreActivation
    return Bottleneck if o.depth >= 50 else Residual


def stem(o: ResNetOptions) -> nn.Sequential:
    """What comes before the first block: GoogLeNet's start with batch norm, or one 3×3."""
    bias = o.variant == "book"
    layers = nn.Sequential()
    if o.stem == "7x7":
        layers.conv = nn.Conv2d(o.in_channels, o.base_channels, 7, stride=2, padding=3, bias=bias)
    else:
        layers.conv = nn.Conv2d(o.in_channels, o.base_channels, 3, padding=1, bias=bias)
    layers.norm = norm(o, o.base_channels)
    layers.act = ACTIVATIONS[o.activation]()
    if o.stem == "7x7":
        layers.pool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
    return layers


def published(depth: Literal[18, 34, 50]) -> ResNetOptions:
    """A network of the paper, as torchvision builds it for ImageNet."""
    return ResNetOptions(depth=depth, in_channels=3, num_classes=1000, variant="torchvision")


PRESETS = {
    "d2l": ResNetOptions(),
    "resnet18": published(18),
    "resnet34": published(34),
    "resnet50": published(50),
    "small": ResNetOptions(depth=10, base_channels=8, stem="3x3"),
}
