"""Receptive field: how much of the input one value sees, by the functions that made it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Window:
    """How a function looks at its input, along one side.

    `adaptive`: the windows share the side out, so that they differ by a pixel where it does not
    divide. Kernel size and stride are then the widest and the mean.
    """

    kernel_size: int = 1
    stride: float = 1
    dilation: int = 1
    padding: int = 0
    adaptive: bool = False

    def taps(self, before: int, after: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Which pixels each window reads, and which of these lie on the map, not beside it.

        Shape: both (after, kernel size); `before` and `after` are the sides of the maps.
        """
        places = np.arange(after)[:, None]
        if self.adaptive:
            first, end = places * before // after, -(-(places + 1) * before // after)
            read = first + np.arange(int((end - first).max()))
            return read, read < end
        steps = np.arange(self.kernel_size) * self.dilation
        read = places * int(self.stride) - self.padding + steps
        return read, (read >= 0) & (read < before)


@dataclass(frozen=True)
class View:
    """What one value sees of the input: `field` pixels, and `jump` pixels to its neighbour."""

    field: float = 1
    jump: float = 1

    def through(self, window: Window) -> "View":
        """The view after a window that moves over what has this view."""
        beyond = (window.kernel_size - 1) * window.dilation
        return View(self.field + beyond * self.jump, self.jump * window.stride)


def window(function: str, args: tuple[Any, ...], kwargs: dict[str, Any], made: Tensor) -> Window:
    """The window of a function, by its name and as it was called.

    One that takes a map apart, as flattening does, may let every value see the whole of it.
    """
    if function in WINDOWS:
        return WINDOWS[function](*args, **kwargs)
    x = next((x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)), None)
    if x is not None and x.dim() == 4 and made.dim() < 4:
        return Window(x.shape[2])
    return Window()


def side(size: Any) -> int:
    """One number where PyTorch allows one per axis; the chapter's windows are square."""
    return int(size if isinstance(size, int) else size[0])


# The parameters below are PyTorch's, in its order, as far as they matter here.
def convolution(
    input: Tensor,  # noqa: ARG001
    weight: Tensor,
    bias: Tensor | None = None,  # noqa: ARG001
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    *_: Any,
    **__: Any,
) -> Window:
    kernel_size, step = weight.shape[2], side(dilation)
    if isinstance(padding, str):
        padding = (kernel_size - 1) * step // 2 if padding == "same" else 0
    return Window(kernel_size, side(stride), step, side(padding))


def max_pooling(
    input: Tensor,  # noqa: ARG001
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    *_: Any,
    **__: Any,
) -> Window:
    return Window(side(kernel_size), side(stride or kernel_size), side(dilation), side(padding))


def average_pooling(
    input: Tensor,  # noqa: ARG001
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    *_: Any,
    **__: Any,
) -> Window:
    return Window(side(kernel_size), side(stride or kernel_size), padding=side(padding))


def adaptive_pooling(input: Tensor, output_size: Any, *_: Any, **__: Any) -> Window:
    size = input.shape[2]
    # None leaves a side as it is.
    rows = output_size[0] if isinstance(output_size, tuple | list) else output_size
    wanted = size if rows is None else int(rows)
    # The windows differ by a pixel where the sizes do not divide: the widest counts, and
    # on average they step so that the last one ends at the border.
    widest = max(-(-(i + 1) * size // wanted) - i * size // wanted for i in range(wanted))
    return Window(widest, (size - widest) / max(1, wanted - 1), adaptive=True)


WINDOWS: dict[str, Callable[..., Window]] = {
    "conv2d": convolution,
    "max_pool2d": max_pooling,
    "avg_pool2d": average_pooling,
    "adaptive_avg_pool2d": adaptive_pooling,
    "adaptive_max_pool2d": adaptive_pooling,
}
