"""The chapter's arithmetic, written out with its numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from cnnlab.questions.numbers import listed, said
from cnnlab.receptive_field import side

WINDOWED = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
WEIGHTED = (nn.Conv2d, nn.Linear)


@dataclass(frozen=True)
class Window:
    """What a convolution or a pooling looks through, and how it moves."""

    kernel_size: int
    stride: int
    padding: int
    rounds_up: bool = False

    def output(self, n: int) -> int:
        """The side that it makes of `n` pixels; 0 or less where nothing is left."""
        steps = (n + 2 * self.padding - self.kernel_size) / self.stride
        return (math.ceil(steps) if self.rounds_up else math.floor(steps)) + 1

    def explained(self, n: int) -> str:
        """How the side comes about: "(224 + 2·1 − 11) / 4 = 53.75, rounded down to 53, ..."."""
        room = f"{n}{f' + 2·{self.padding}' if self.padding else ''} − {self.kernel_size}"
        formula = f"({room}) / {self.stride}" if self.stride > 1 else room
        steps = (n + 2 * self.padding - self.kernel_size) / self.stride
        whole = self.output(n) - 1
        rounding = "" if steps == whole else f", rounded {self._direction} to {whole}"
        return f"{formula} = {said(steps)}{rounding}, plus 1 is {self.output(n)}"

    @property
    def _direction(self) -> str:
        return "up" if self.rounds_up else "down"

    def described(self, *, padding: bool = True) -> str:
        """In words: "11×11, stride 4, padding 1"."""
        text = f"{self.kernel_size}×{self.kernel_size}, stride {self.stride}"
        if padding and self.padding:
            text += f", padding {self.padding}"
        return f"{text}, rounded up" if padding and self.rounds_up else text


def windows_said(found: Sequence[tuple[str, str]]) -> str:
    """Layers with what describes their windows, which is said once where all have the same."""
    if len(found) > 1 and len({words for _, words in found}) == 1:
        return f"{listed([f'`{name}`' for name, _ in found])} (each {found[0][1]})"
    return listed([f"`{name}` ({words})" for name, words in found])


def window_of(module: nn.Module | None) -> Window | None:
    """The window of a layer; None for one that has none."""
    if not isinstance(module, WINDOWED):
        return None
    return Window(
        side(module.kernel_size),
        side(module.stride),
        side(module.padding),
        bool(getattr(module, "ceil_mode", False)),
    )


def parameters_explained(module: nn.Module) -> str:
    """How a layer's parameters are counted: "3·3·64·128 + 128"."""
    bias = getattr(module, "bias", None) is not None
    if isinstance(module, nn.Conv2d):
        k, out = side(module.kernel_size), module.out_channels
        weights = f"{k}·{k}·{module.in_channels:,}·{out:,}"
    elif isinstance(module, nn.Linear):
        out = module.out_features
        weights = f"{module.in_features:,}·{out:,}"
    else:
        # Batch normalization: a scale and a shift for each channel.
        return f"2·{sum(p.numel() for p in module.parameters()) // 2:,}"
    return f"{weights} + {out:,}" if bias else weights


def described(module: nn.Module) -> str:
    """A layer with parameters in words."""
    bias = getattr(module, "bias", None) is not None
    having = "with biases" if bias else "without biases"
    if isinstance(module, nn.Conv2d):
        k = side(module.kernel_size)
        channels = f"from {module.in_channels:,} to {module.out_channels:,} channels"
        return f"a {k}×{k} convolution {channels}, {having}"
    if isinstance(module, nn.Linear):
        sizes = f"from {module.in_features:,} to {module.out_features:,} values"
        return f"a fully-connected layer {sizes}, {having}"
    count = sum(p.numel() for p in module.parameters()) // 2
    return f"a batch normalization of {count:,} channels"
