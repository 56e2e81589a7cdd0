"""LeNet: two convolutions with pooling, then three fully-connected layers."""

from typing import Literal

from pydantic import Field
from torch import nn

from cnnlab.networks.batch_norm import NormKind, norm_layer
from cnnlab.networks.options import ACTIVATIONS, POOLINGS, Activation, Dropout, Options
from cnnlab.networks.options import Pooling as PoolingName


class LeNetOptions(Options):
    """The knobs of LeNet; the defaults are the book's network."""

    batch_norm: bool = Field(False, description="Normalize after every layer but the last.")
    norm: NormKind = Field(
        "full",
        title="Kind of batch norm",
        description="Frozen: γ and β are not learned. Mean only: it divides by nothing. Variance "
        "only: it subtracts nothing. Batch statistics: in prediction too, not the running ones.",
    )
    norm_place: Literal["before_activation", "after_activation"] = Field(
        "before_activation",
        title="Place of batch norm",
        description="Before the activation, as in the paper, or after it.",
    )
    bias: bool = Field(
        True,
        description="All layers have one, or only the last. Batch norm right after it subtracts it "
        "again.",
    )
    activation: Activation = Field("sigmoid", description="What follows every layer but the last.")
    pooling: PoolingName = Field("average", description="How 2×2 pixels become one.")
    kernel_size: int = Field(5, ge=1, le=9, description="Side of the convolution window.")
    padding: int = Field(2, ge=0, le=4, description="Zeros around the picture.")
    channels1: int = Field(6, ge=1, le=128, description="Channels of the first convolution.")
    channels2: int = Field(16, ge=1, le=256, description="Channels of the second convolution.")
    hidden1: int = Field(120, ge=2, le=1024, description="Units of the first hidden layer.")
    hidden2: int = Field(84, ge=2, le=1024, description="Units of the second hidden layer.")
    dropout: Dropout = 0.0


class LeNet(nn.Sequential):
    """The network of 1998, with the knobs of the chapter's experiments.

    Shape: (N, in_channels, H, W) -> (N, num_classes).
    Source: D2L 1.0.3, sections 7.6 and 8.5 (with batch norm); LeCun et al. 1998.
    """

    def __init__(self, options: LeNetOptions | None = None) -> None:
        super().__init__()
        o = self.options = options or LeNetOptions()
        pooling, side, bias = POOLINGS[o.pooling], o.kernel_size, o.bias

        self.conv1 = nn.Conv2d(o.in_channels, o.channels1, side, padding=o.padding, bias=bias)
        self._activate(1, o.channels1, maps=True)
        self.pool1 = pooling(kernel_size=2, stride=2)

        self.conv2 = nn.Conv2d(o.channels1, o.channels2, side, bias=bias)
        self._activate(2, o.channels2, maps=True)
        self.pool2 = pooling(kernel_size=2, stride=2)

        self.flatten = nn.Flatten()
        # How many values arrive here follows from the size of the picture: a lazy layer counts
        # them in the first pass.
        self.fc1 = nn.LazyLinear(o.hidden1, bias=bias)
        self._activate(3, o.hidden1, maps=False)
        if o.dropout:
            self.drop3 = nn.Dropout(o.dropout)
        self.fc2 = nn.Linear(o.hidden1, o.hidden2, bias=bias)
        self._activate(4, o.hidden2, maps=False)
        if o.dropout:
            self.drop4 = nn.Dropout(o.dropout)
        self.fc3 = nn.Linear(o.hidden2, o.num_classes)

    def _activate(self, number: int, features: int, *, maps: bool) -> None:
        """An activation and, where it is on, batch norm before or after it."""
        o = self.options
        layers = {f"act{number}": ACTIVATIONS[o.activation]()}
        if o.batch_norm:
            norm = {f"norm{number}": norm_layer(o.norm, features, maps=maps)}
            layers = norm | layers if o.norm_place == "before_activation" else layers | norm
        for name, layer in layers.items():
            self.add_module(name, layer)


PRESETS = {
    "d2l": LeNetOptions(),
    "d2l_bn": LeNetOptions(batch_norm=True, padding=0),
    "small": LeNetOptions(activation="relu", pooling="max"),
}
