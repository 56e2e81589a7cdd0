"""ResNet: every block adds what it computes to what it was given."""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from cnnlab.networks.options import ACTIVATIONS, Activation, Options

# Blocks in each of the four stages; He et al. 2015, table 1 (10 is our own, for laptops).
BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}


class ResNetOptions(Options):
    """The knobs of ResNet; the defaults are the book's ResNet-18."""

    skip: bool = Field(True, description="Add the input of every block to its output.")
    depth: Literal[10, 18, 34, 50] = Field(18, description="Layers with weights on the main path.")
    base_channels: int = Field(
        64, ge=4, le=128, description="Channels of the first stage; they double at every stage."
    )
    batch_norm: bool = Field(
        True, description="Normalize after every convolution but those on the book's skips."
    )
    activation: Activation = Field(
        "relu", description="What follows the stem, every sum and the convolutions before it."
    )
    stem: Literal["7x7", "3x3"] = Field(
        "7x7", description="7×7 with stride 2 and pooling, or 3×3 for small pictures."
    )
    variant: Literal["book", "torchvision"] = Field(
        "book", description="torchvision: no bias in convolutions, batch norm on the skip."
    )


class Residual(nn.Module):
    """Two 3×3 convolutions, and the input added to what they make of it.

    Shape: (N, in_channels, H, W) -> (N, channels, H / stride, W / stride).
    Source: He et al. 2015, figure 2.
    """

    expansion = 1

    def __init__(self, o: ResNetOptions, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        bias = o.variant == "book"
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=bias)
        self.norm1 = norm(o, channels)
        self.act1 = ACTIVATIONS[o.activation]()
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=bias)
        self.norm2 = norm(o, channels)
        self.shortcut = shortcut(o, in_channels, channels, stride)
        self.act2 = ACTIVATIONS[o.activation]()

    def forward(self, x: Tensor) -> Tensor:
        y = self.act1(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        if self.shortcut is not None:
            y = y + self.shortcut(x)
        return self.act2(y)  # type: ignore[no-any-return]


class Bottleneck(nn.Module):
    """A 3×3 convolution between two 1×1 that narrow and widen, and the input added.

    Shape: (N, in_channels, H, W) -> (N, 4 * channels, H / stride, W / stride).
    Source: He et al. 2015, figure 5; the stride sits in the 3×3, as in torchvision.
    """

    expansion = 4

    def __init__(self, o: ResNetOptions, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        bias = o.variant == "book"
        wide = self.expansion * channels
        self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=1, bias=bias)
        self.norm1 = norm(o, channels)
        self.act1 = ACTIVATIONS[o.activation]()
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=bias)
        self.norm2 = norm(o, channels)
        self.act2 = ACTIVATIONS[o.activation]()
        self.conv3 = nn.Conv2d(channels, wide, kernel_size=1, bias=bias)
        self.norm3 = norm(o, wide)
        self.shortcut = shortcut(o, in_channels, wide, stride)
        self.act3 = ACTIVATIONS[o.activation]()

    def forward(self, x: Tensor) -> Tensor:
        y = self.act1(self.norm1(self.conv1(x)))
        y = self.act2(self.norm2(self.conv2(y)))
        y = self.norm3(self.conv3(y))
        if self.shortcut is not None:
            y = y + self.shortcut(x)
        return self.act3(y)  # type: ignore[no-any-return]


class ResNet(nn.Sequential):
    """A stem, four stages of residual blocks, global average pooling.

    Shape: (N, in_channels, H, W) -> (N, num_classes).
    Source: D2L 1.0.3, section 8.6; He et al. 2015.
    """

    def __init__(self, options: ResNetOptions | None = None) -> None:
        super().__init__()
        o = self.options = options or ResNetOptions()
        block = Bottleneck if o.depth >= 50 else Residual

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
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(channels, o.num_classes)


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


def norm(o: ResNetOptions, channels: int) -> nn.Module:
    """Batch normalization, or nothing where it is switched off."""
    return nn.BatchNorm2d(channels) if o.batch_norm else nn.Identity()


def shortcut(
    o: ResNetOptions, in_channels: int, out_channels: int, stride: int
) -> nn.Module | None:
    """What is added to a block's output; a 1×1 convolution where the shapes differ."""
    if not o.skip:
        return None
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    if o.variant == "book":
        return nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride)
    path = nn.Sequential()
    path.conv = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False)
    path.norm = norm(o, out_channels)
    return path


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
