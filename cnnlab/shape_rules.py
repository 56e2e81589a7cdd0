"""What a function makes of shapes alone, and the name under which it is known."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional, init
from torch.overrides import TorchFunctionMode

# They make one value of each that they read. On the meta device PyTorch works out step by step, in
# Python, what that is: two thirds of the time that the trace of DenseNet-121 took.
SAME_SHAPE = frozenset(
    {functional.relu, functional.leaky_relu, functional.gelu, torch.sigmoid, torch.tanh}
)
# What draws or sets the values of a weight when a layer is made; the first two by way of others.
DRAWS = frozenset(
    {
        init.kaiming_uniform_,
        init.uniform_,
        Tensor.uniform_,
        Tensor.normal_,
        Tensor.fill_,
        Tensor.zero_,
    }
)


class ShapesOnly(TorchFunctionMode):
    """What runs inside on the meta device is not worked out where its shape is known.

    Layers that are made inside draw no weights there.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return call(func, args, kwargs or {})


def call(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a function makes; of shapes alone, without PyTorch where the shape is known."""
    x = args[0] if args else kwargs.get("tensor")
    if isinstance(x, Tensor) and x.is_meta:
        if function in DRAWS:
            return x
        if (shape := known_shape(function, x, args, kwargs)) is not None:
            return torch.empty(shape, dtype=x.dtype, device=x.device)
    return function(*args, **kwargs)


def known_shape(
    function: Any, x: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[int, ...] | None:
    """The shape that a function makes; None where PyTorch has to say it."""
    if function is functional.conv2d:
        return convolved(*args, **kwargs)
    return x.shape if keeps_shape(function, x, args[1:], kwargs) else None


def keeps_shape(function: Any, x: Tensor, rest: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether it is known to make a tensor of its own like `x`."""
    if function is functional.batch_norm:
        return fits_channels(x, rest, **kwargs)
    return function in SAME_SHAPE and not rest and not kwargs.get("inplace", False)


def fits_channels(x: Tensor, rest: tuple[Any, ...], training: bool = False, **named: Any) -> bool:
    """Whether a batch normalization in prediction gets a value of each kind for every channel."""
    # Mean, variance, weight and bias come first, then whether it is training.
    given = [value for value in (*rest[:4], *named.values()) if isinstance(value, Tensor)]
    in_training = training or bool(rest[4:5] and rest[4])
    return not in_training and x.dim() > 1 and all(v.shape == x.shape[1:2] for v in given)


def convolved(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> tuple[int, ...] | None:
    """The shape that a convolution makes; None where PyTorch has to say it, or why there is none.

    Shape: `x` (N, C, H, W), `weight` (channels, C / groups, rows, columns).
    """
    fits = x.dim() == weight.dim() == 4 and x.shape[1] == weight.shape[1] * groups
    fits = fits and weight.shape[0] % groups == 0 and x.dtype == weight.dtype
    if not fits or (bias is not None and bias.shape != weight.shape[:1]):
        return None
    if isinstance(padding, str):
        return None
    sides = tuple(
        (x.shape[2 + axis] + 2 * around - step * (weight.shape[2 + axis] - 1) - 1) // by + 1
        for axis, (around, step, by) in enumerate(
            zip(pair(padding), pair(dilation), pair(stride), strict=True)
        )
    )
    return (x.shape[0], weight.shape[0], *sides) if min(sides) > 0 else None


def pair(size: Any) -> tuple[int, int]:
    """Two numbers, for rows and columns, where PyTorch also allows one."""
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[-1]))


def name_of(function: Any) -> str:
    """The name under which a function is known: `add` for `+`, `+=` and `torch.add`."""
    name = str(getattr(function, "__name__", type(function).__name__))
    if name == "__get__":
        name = str(function.__self__.__name__)
    plain = name.strip("_")
    if name.startswith(("__i", "__r")) and hasattr(torch, plain[1:]):
        return plain[1:]
    return plain
