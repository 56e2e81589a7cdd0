"""Residual blocks: each adds what it computes to what it was given."""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import pad

from cnnlab.networks.options import ACTIVATIONS, Activation, Options


class ResidualOptions(Options):
    """The knobs of a block."""

    skip: bool = Field(True, description="Add the input of every block to its output.")
    shortcut: Literal["1x1", "zero-padded"] = Field(
        "1x1",
        title="Skip where shapes differ",
        description="A 1×1 convolution, or every second pixel with zeros for the new channels.",
    )
    order: Literal["post-activation", "pre-activation"] = Field(
        "post-activation",
        title="Order in a block",
        description="Convolution, batch norm, activation (2015), or both before the convolution "
        "and nothing after the sum (2016).",
    )
    batch_norm: bool = Field(
        True, description="Normalize with every convolution but those on the book's skips."
    )
    activation: Activation = Field(
        "relu", description="What stands after the stem and in every block."
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

    def __init__(self, o: ResidualOptions, in_channels: int, channels: int, stride: int) -> None:
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

    def __init__(self, o: ResidualOptions, in_channels: int, channels: int, stride: int) -> None:
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


class PreActivation(nn.Module):
    """Two 3×3 convolutions, normalization and activation before each, and the input added.

    Nothing stands between one sum and the next: the skips hand on the input unchanged.

    Shape: (N, in_channels, H, W) -> (N, channels, H / stride, W / stride).
    Source: He et al. 2016, figure 1b.
    """

    expansion = 1

    def __init__(self, o: ResidualOptions, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        bias = o.variant == "book"
        self.norm1 = norm(o, in_channels)
        self.act1 = ACTIVATIONS[o.activation]()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=bias)
        self.norm2 = norm(o, channels)
        self.act2 = ACTIVATIONS[o.activation]()
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=bias)
        self.shortcut = shortcut(o, in_channels, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(self.act1(self.norm1(x)))
        y = self.conv2(self.act2(self.norm2(y)))
        return y if self.shortcut is None else y + self.shortcut(x)  # type: ignore[no-any-return]


class PreActivationBottleneck(nn.Module):
    """The bottleneck, normalization and activation before each convolution.

    Shape: (N, in_channels, H, W) -> (N, 4 * channels, H / stride, W / stride).
    Source: He et al. 2016, section 4.
    """

    expansion = 4

    def __init__(self, o: ResidualOptions, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        bias = o.variant == "book"
        wide = self.expansion * channels
        self.norm1 = norm(o, in_channels)
        self.act1 = ACTIVATIONS[o.activation]()
        self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=1, bias=bias)
        self.norm2 = norm(o, channels)
        self.act2 = ACTIVATIONS[o.activation]()
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=bias)
        self.norm3 = norm(o, channels)
        self.act3 = ACTIVATIONS[o.activation]()
        self.conv3 = nn.Conv2d(channels, wide, kernel_size=1, bias=bias)
        self.shortcut = shortcut(o, in_channels, wide, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(self.act1(self.norm1(x)))
        y = self.conv2(self.act2(self.norm2(y)))
        y = self.conv3(self.act3(self.norm3(y)))
        return y if self.shortcut is None else y + self.shortcut(x)  # type: ignore[no-any-return]


Block = Residual | Bottleneck | PreActivation | PreActivationBottleneck


def norm(o: ResidualOptions, channels: int) -> nn.Module:
    """Batch normalization, or nothing where it is switched off."""
    return nn.BatchNorm2d(channels) if o.batch_norm else nn.Identity()


def shortcut(
    o: ResidualOptions, in_channels: int, out_channels: int, stride: int
) -> nn.Module | None:
    """What is added to a block's output: its input, made to fit where the shapes differ."""
    if not o.skip:
        return None
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    if o.shortcut == "zero-padded":
        return ZeroPadded(out_channels - in_channels, stride)
    if o.variant == "book":
        return nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride)
    path = nn.Sequential()
    path.conv = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False)
    path.norm = norm(o, out_channels)
    return path


class ZeroPadded(nn.Module):
    """One pixel in `stride`, and zeros for the new channels: a skip that has no weights.

    Shape: (N, C, H, W) -> (N, C + new_channels, H / stride, W / stride).
    Source: He et al. 2015, section 3.3, option A.
    """

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels, self.stride = new_channels, stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        # Before and after: columns, rows, channels.
        return pad(x, (0, 0, 0, 0, 0, self.new_channels))
