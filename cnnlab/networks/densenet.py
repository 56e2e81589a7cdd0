"""DenseNet: every layer reads all that the layers before it have written."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from cnnlab.networks.options import ACTIVATIONS, POOLINGS, Activation, Options
from cnnlab.networks.options import Pooling as PoolingName
from cnnlab.validated import Counts, Offered, counts

# The paper's largest, DenseNet-264, has 6-12-64-48.
Layers = Annotated[
    str,
    Counts(longest=5, most=64, total=130),
    Offered(("2-2-2", "4-4-4", "4-4-4-4", "6-12-24-16", "6-12-32-32")),
]


class DenseNetOptions(Options):
    """The knobs of DenseNet; the defaults are the book's network."""

    growth_rate: int = Field(
        32, ge=1, le=64, description="New channels of every layer, where they are concatenated."
    )
    join: Literal["concatenate", "add"] = Field(
        "concatenate",
        title="Join with the input",
        description="New channels beside those before, or as many channels added to them.",
    )
    layers: Layers = Field("4-4-4-4", description="Layers in each dense block, such as 6-12-24-16.")
    bottleneck: bool = Field(False, description="A 1×1 to 4 × growth rate before every 3×3.")
    transitions: bool = Field(
        True,
        description="Fewer channels and half the size between blocks. Without them a layer of the "
        "second block computes 4 times as many pixels, of the third 16 times.",
    )
    compression: float = Field(
        0.5, ge=0.1, le=1, multiple_of=0.05, description="Share of channels a transition keeps."
    )
    pooling: PoolingName = Field("average", description="How a transition halves the picture.")
    stem_channels: int = Field(64, ge=4, le=128, description="Channels before the first block.")
    stem: Literal["7x7", "3x3"] = Field(
        "7x7", description="7×7 with stride 2 and pooling, or 3×3 for small pictures."
    )
    batch_norm: bool = Field(True, description="Normalize before every convolution but the stem.")
    activation: Activation = Field(
        "relu", description="What precedes every convolution but the stem."
    )
    bias: bool = Field(True, description="Convolutions have a bias (not in torchvision's).")


class DenseLayer(nn.Sequential):
    """Normalization, activation, 3×3 convolution: the new channels only.

    Shape: (N, in_channels, H, W) -> (N, new_channels, H, W).
    Source: Huang et al. 2016, section 3.
    """

    def __init__(self, o: DenseNetOptions, in_channels: int) -> None:
        super().__init__()
        channels = in_channels
        # What is added to the input has as many channels.
        new_channels = in_channels if o.join == "add" else o.growth_rate
        if o.batch_norm:
            self.norm1 = nn.BatchNorm2d(channels)
        self.act1 = ACTIVATIONS[o.activation]()
        if o.bottleneck:
            channels = 4 * o.growth_rate
            self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=1, bias=o.bias)
            if o.batch_norm:
                self.norm2 = nn.BatchNorm2d(channels)
            self.act2 = ACTIVATIONS[o.activation]()
        self.conv2 = nn.Conv2d(channels, new_channels, kernel_size=3, padding=1, bias=o.bias)


class DenseBlock(nn.Module):
    """Layers that each read the concatenation of the input and all layers before, or their sum.

    Shape: (N, in_channels, H, W) -> (N, out_channels, H, W); concatenation makes in_channels +
    layers * growth_rate of them, addition leaves their number.
    Source: Huang et al. 2016, figure 1.
    """

    def __init__(self, o: DenseNetOptions, layers: int, in_channels: int) -> None:
        super().__init__()
        self.join = o.join
        channels = in_channels
        for i in range(1, layers + 1):
            self.add_module(f"layer{i}", DenseLayer(o, channels))
            if o.join == "concatenate":
                channels += o.growth_rate
        self.out_channels = channels

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            new = layer(x)
            x = torch.cat([x, new], dim=1) if self.join == "concatenate" else x + new
        return x


class Transition(nn.Sequential):
    """Fewer channels by a 1×1 convolution, half the size by pooling.

    Shape: (N, in_channels, H, W) -> (N, out_channels, H // 2, W // 2).
    """

    def __init__(self, o: DenseNetOptions, in_channels: int, out_channels: int) -> None:
        super().__init__()
        if o.batch_norm:
            self.norm = nn.BatchNorm2d(in_channels)
        self.act = ACTIVATIONS[o.activation]()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=o.bias)
        self.pool = POOLINGS[o.pooling](kernel_size=2, stride=2)


class DenseNet(nn.Sequential):
    """A stem, dense blocks with transitions between them, global average pooling.

    Shape: (N, in_channels, H, W) -> (N, num_classes).
    Source: D2L 1.0.3, section 8.7; Huang et al. 2016.
    """

    def __init__(self, options: DenseNetOptions | None = None) -> None:
        super().__init__()
        o = self.options = options or DenseNetOptions()

        self.stem = stem(o)
        channels = o.stem_channels
        layers_per_block = counts(o.layers)
        for i, layers in enumerate(layers_per_block, start=1):
            block = DenseBlock(o, layers, channels)
            self.add_module(f"dense{i}", block)
            channels = block.out_channels
            if o.transitions and i < len(layers_per_block):
                kept = max(1, int(channels * o.compression))
                self.add_module(f"transition{i}", Transition(o, channels, kept))
                channels = kept
        if o.batch_norm:
            self.norm = nn.BatchNorm2d(channels)
        self.act = ACTIVATIONS[o.activation]()
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(channels, o.num_classes)


def stem(o: DenseNetOptions) -> nn.Sequential:
    """What comes before the first dense block: as in ResNet, or one 3×3 for small pictures."""
    layers = nn.Sequential()
    if o.stem == "3x3":
        layers.conv = nn.Conv2d(o.in_channels, o.stem_channels, 3, padding=1, bias=o.bias)
        return layers
    layers.conv = nn.Conv2d(o.in_channels, o.stem_channels, 7, stride=2, padding=3, bias=o.bias)
    if o.batch_norm:
        layers.norm = nn.BatchNorm2d(o.stem_channels)
    layers.act = ACTIVATIONS[o.activation]()
    layers.pool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
    return layers


PRESETS = {
    "d2l": DenseNetOptions(),
    "densenet121": DenseNetOptions(
        in_channels=3, num_classes=1000, layers="6-12-24-16", bottleneck=True, bias=False
    ),
    "small": DenseNetOptions(growth_rate=8, layers="2-2-2", stem_channels=16, stem="3x3"),
}
