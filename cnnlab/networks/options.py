"""Options: what the knobs of every network have in common."""

from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from cnnlab.validated import Validated

Activation = Literal["relu", "sigmoid", "tanh", "leaky_relu", "gelu"]
Pooling = Literal["average", "max"]

ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
}
POOLINGS: dict[Pooling, type[nn.AvgPool2d] | type[nn.MaxPool2d]] = {
    "average": nn.AvgPool2d,
    "max": nn.MaxPool2d,
}

Width = Annotated[
    float,
    Field(ge=0.125, le=2, multiple_of=0.125, description="Factor on every channel count."),
]
Dropout = Annotated[
    float,
    Field(ge=0, le=0.9, multiple_of=0.05, description="Share of values set to zero in training."),
]
Head = Annotated[
    Literal["average", "fully_connected"],
    Field(
        description="What ends the network: the average of every map (global average pooling), or "
        "a fully-connected layer that reads all their pixels."
    ),
]


class Options(Validated):
    """The knobs of a network; each network adds its own."""

    in_channels: int = Field(1, ge=1, le=16, description="Channels of the picture: 1 grey, 3 RGB.")
    num_classes: int = Field(10, ge=2, le=10_000, description="Number of classes, one logit each.")


def scaled(channels: int, width: float) -> int:
    """A channel count times the width factor, at least one."""
    return max(1, round(channels * width))
