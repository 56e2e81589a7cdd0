"""Receptive field: how much of the input one value sees, by the functions that made it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

# Kernel size, stride and dilation with which a function looks at its input.
Window = tuple[int, float, int]


@dataclass(frozen=True)
class View:
    """What one value sees of the input: `field` pixels, and `jump` pixels to its neighbour."""

    field: float = 1
    jump: float = 1

    def through(self, window: Window) -> "View":
        """The view after a window that moves over what has this view."""
        kernel_size, stride, dilation = window
        return View(self.field + (kernel_size - 1) * dilation * self.jump, self.jump * stride)


def window(function: str, args: tuple[Any, ...], kwargs: dict[str, Any], made: Tensor) -> Window:
    """The window of a function, by its name and as it was called.

    One that takes a map apart, as flattening does, may let every value see the whole of it.
    """
    if function in WINDOWS:
        return WINDOWS[function](*args, **kwargs)
    x = next((x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)), None)
    if x is not None and x.dim() == 4 and made.dim() < 4:
        return x.shape[2], 1, 1
    return 1, 1, 1


def side(size: Any) -> int:
    """One number where PyTorch allows one per axis; the chapter's windows are square."""
    return int(size if isinstance(size, int) else size[0])


# The parameters below are PyTorch's, in its order, as far as they matter here.
def convolution(
    input: Tensor,  # noqa: ARG001
    weight: Tensor,
    bias: Tensor | None = None,  # noqa: ARG001
    stride: Any = 1,
    padding: Any = 0,  # noqa: ARG001
    dilation: Any = 1,
    *_: Any,
    **__: Any,
) -> Window:
    return weight.shape[2], side(stride), side(dilation)


def max_pooling(
    input: Tensor,  # noqa: ARG001
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,  # noqa: ARG001
    dilation: Any = 1,
    *_: Any,
    **__: Any,
) -> Window:
    return side(kernel_size), side(stride or kernel_size), side(dilation)


def average_pooling(
    input: Tensor,  # noqa: ARG001
    kernel_size: Any,
    stride: Any = None,
    *_: Any,
    **__: Any,
) -> Window:
    return side(kernel_size), side(stride or kernel_size), 1


def adaptive_pooling(input: Tensor, output_size: Any, *_: Any, **__: Any) -> Window:
    size, wanted = input.shape[2], side(output_size)
    # The windows differ by a pixel where the sizes do not divide: the widest counts, and
    # on average they step so that the last one ends at the border.
    widest = max(-(-(i + 1) * size // wanted) - i * size // wanted for i in range(wanted))
    return widest, (size - widest) / max(1, wanted - 1), 1


WINDOWS: dict[str, Callable[..., Window]] = {
    "conv2d": convolution,
    "max_pool2d": max_pooling,
    "avg_pool2d": average_pooling,
    "adaptive_avg_pool2d": adaptive_pooling,
    "adaptive_max_pool2d": adaptive_pooling,
}
