"""A window that walks over a small picture: how often it fits, and what it never visits."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnlab.errors import ConfigError
from cnnlab.receptive_field import Window

LARGEST = 16
# The pictures of ImageNet and the size of which AlexNet's first layer makes 55: no numbers then.
LARGEST_DRAWN = 227


@dataclass(frozen=True)
class Bench:
    """One convolution over a square picture, the same along rows and columns."""

    size: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def __post_init__(self) -> None:
        bounds = {
            "size": (1, LARGEST_DRAWN),
            "kernel_size": (1, LARGEST),
            "stride": (1, LARGEST),
            "padding": (0, LARGEST),
            "dilation": (1, LARGEST),
        }
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise ConfigError(
                    f"{name}: {getattr(self, name)} was given; it can be {low} to {high}."
                )
        if self.span > self.padded:
            raise ConfigError(
                f"The window spans {self.span} pixels; the picture with its padding has "
                f"{self.padded}. Make the picture or the padding larger, or the window smaller."
            )

    @property
    def span(self) -> int:
        """From the first pixel that the window reads to the last, both counted."""
        return self.dilation * (self.kernel_size - 1) + 1

    @property
    def padded(self) -> int:
        """The side of the picture with its padding."""
        return self.size + 2 * self.padding

    @property
    def output(self) -> int:
        """On how many places the window fits: floored where the sizes do not divide."""
        return (self.padded - self.span) // self.stride + 1

    @property
    def left_over(self) -> int:
        """Rows of the padded picture behind the last window."""
        return (self.padded - self.span) % self.stride

    @property
    def window(self) -> Window:
        return Window(self.kernel_size, self.stride, self.dilation, self.padding)

    @property
    def visited(self) -> NDArray[np.bool_]:
        """Which rows of the picture, or columns, any window reads. Shape: (size,)."""
        taps, inside = self.window.taps(self.size, self.output)
        found = np.zeros(self.size, dtype=bool)
        found[taps[inside]] = True
        return found

    @property
    def formula(self) -> str:
        """The size of the output with the numbers put in."""
        room = f"{self.size}"
        if self.padding:
            room += f" + 2 · {self.padding}"
        k = self.kernel_size
        room += f" − {self.dilation} · ({k} − 1) − 1" if self.dilation > 1 else f" − {k}"
        steps = (self.padded - self.span) / self.stride
        whole = steps == int(steps)
        floored = "" if whole else f" = ⌊{steps:.4g}⌋ + 1"
        return f"⌊({room}) / {self.stride}⌋ + 1{floored} = {self.output}"


PRESETS = {
    "book": Bench(224, 11, 4, 1),
    "paper": Bench(224, 11, 4, 0),
    "fits": Bench(227, 11, 4, 0),
}


@dataclass(frozen=True)
class Example:
    """Small whole numbers to walk over.

    Shape: `picture` (n, n), `kernel` (k, k), `output` (m, m).
    """

    picture: Tensor
    kernel: Tensor
    output: Tensor


def example(bench: Bench) -> Example:
    """Numbers for a bench, always the same.

    Raises: ConfigError for a picture too large to show its numbers.
    """
    if bench.size > LARGEST:
        raise ConfigError(f"size: {bench.size} was given; numbers are shown up to {LARGEST}.")
    random = torch.Generator().manual_seed(0)
    picture = torch.randint(0, 10, (LARGEST, LARGEST), generator=random)[: bench.size, : bench.size]
    kernel = torch.randint(-1, 2, (LARGEST, LARGEST), generator=random)
    kernel = kernel[: bench.kernel_size, : bench.kernel_size]
    output = functional.conv2d(
        picture[None, None].double(),
        kernel[None, None].double(),
        None,
        bench.stride,
        bench.padding,
        bench.dilation,
    )
    return Example(picture, kernel, output[0, 0].round().long())
