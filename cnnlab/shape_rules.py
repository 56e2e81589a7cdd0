"""What a function makes of shapes alone, and the name under which it is known."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

# They make one value of each that they read. On the meta device PyTorch works out step by step, in
# Python, what that is: two thirds of the time that the trace of DenseNet-121 took.
SAME_SHAPE = frozenset(
    {functional.relu, functional.leaky_relu, functional.gelu, torch.sigmoid, torch.tanh}
)


def call(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a function makes; of shapes alone, without PyTorch where the shape stays."""
    x = args[0] if args else None
    if isinstance(x, Tensor) and x.is_meta and keeps_shape(function, x, args[1:], kwargs):
        return torch.empty(x.shape, dtype=x.dtype, device=x.device)
    return function(*args, **kwargs)


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


def name_of(function: Any) -> str:
    """The name under which a function is known: `add` for `+`, `+=` and `torch.add`."""
    name = str(getattr(function, "__name__", type(function).__name__))
    if name == "__get__":
        name = str(function.__self__.__name__)
    plain = name.strip("_")
    if name.startswith(("__i", "__r")) and hasattr(torch, plain[1:]):
        return plain[1:]
    return plain
