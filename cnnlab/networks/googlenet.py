"""GoogLeNet: a stem, nine Inception blocks, an average; few parameters for its depth."""

from pydantic import Field
from torch import Tensor, nn

from cnnlab.networks.inception import Conv, Inception, InceptionOptions, Paths, scaled_paths
from cnnlab.networks.options import ACTIVATIONS, Dropout, Head, Width, scaled

# What each path of a block makes; Szegedy et al. 2014, table 1.
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
# How much the loss of an auxiliary head counts beside the network's own.
AUXILIARY_WEIGHT = 0.3


class GoogLeNetOptions(InceptionOptions):
    """The knobs of GoogLeNet; the defaults are the book's network."""

    width: Width = 1.0
    head: Head = "average"
    auxiliary: bool = Field(
        False,
        title="Auxiliary heads",
        description="Two more classifiers, after blocks 4a and 4d. They are there in training "
        "only, and their losses count 0.3 each.",
    )
    dropout: Dropout = 0.0


class AuxiliaryHead(nn.Sequential):
    """A classifier halfway: its loss reaches the early layers on a short way.

    Shape: (N, in_channels, H, W) -> (N, num_classes).
    Source: Szegedy et al. 2014, section 5.
    """

    training_only = True

    def __init__(self, o: GoogLeNetOptions, in_channels: int) -> None:
        super().__init__()
        channels, hidden = scaled(128, o.width), scaled(1024, o.width)
        # 14×14, from ImageNet's pictures, become 4×4; the last windows may stick out.
        self.pool = nn.AvgPool2d(kernel_size=5, stride=3, ceil_mode=True)
        self.conv = Conv(o, in_channels, channels, kernel_size=1)
        self.flatten = nn.Flatten()
        self.fc1 = nn.LazyLinear(hidden)
        self.act = ACTIVATIONS[o.activation]()
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, o.num_classes)


class GoogLeNet(nn.Sequential):
    """A stem, nine Inception blocks in three stages, global average pooling.

    Shape: (N, in_channels, H, W) -> (N, num_classes); with auxiliary heads in training a tuple,
    the network's logits first.
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
                block = Inception(o, channels, scaled_paths(paths, o.width))
                self.add_module(f"inception{stage}{letter}", block)
                channels = block.out_channels
                if o.auxiliary and (stage, letter) in ((4, "a"), (4, "d")):
                    self.add_module(f"auxiliary{stage}{letter}", AuxiliaryHead(o, channels))
            if stage == 3:
                self.pool3 = max_pool(o, kernel_size=3)
            elif stage == 4:
                self.pool4 = max_pool(o, kernel_size=3 if o.variant == "book" else 2)

        if o.head == "average":
            self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        if o.dropout:
            self.drop = nn.Dropout(o.dropout)
        if o.head == "average":
            self.fc = nn.Linear(channels, o.num_classes)
        else:
            # It reads every pixel: how many there are follows from the size of the picture.
            self.fc = nn.LazyLinear(o.num_classes)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        auxiliary = []
        for layer in self:
            if not isinstance(layer, AuxiliaryHead):
                x = layer(x)
            elif layer.training:
                auxiliary.append(layer(x))
        return (x, *auxiliary) if auxiliary else x


def max_pool(o: GoogLeNetOptions, kernel_size: int) -> nn.MaxPool2d:
    """The pooling that halves the picture: the book pads it, torchvision rounds the size up."""
    if o.variant == "book":
        return nn.MaxPool2d(kernel_size, stride=2, padding=1)
    return nn.MaxPool2d(kernel_size, stride=2, ceil_mode=True)


PRESETS = {
    "d2l": GoogLeNetOptions(),
    "torchvision": GoogLeNetOptions(
        in_channels=3, num_classes=1000, batch_norm=True, dropout=0.2, variant="torchvision"
    ),
    "small": GoogLeNetOptions(width=0.25, batch_norm=True),
}
