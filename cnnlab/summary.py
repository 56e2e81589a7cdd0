"""The layer table of a model as data: shapes, parameters, compute, receptive field, memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnlab import catalog
from cnnlab.errors import ConfigError
from cnnlab.tracing import leaves, private_copy, watching

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One row of the table.

    Units: `macs` are multiply-accumulates of convolutions and fully-connected layers for the
    whole batch, `receptive_field` pixels of the input per side, `activation_bytes` the output.
    """

    name: str
    kind: str
    input_shape: Shape
    output_shape: Shape
    params: int
    macs: int
    receptive_field: int
    activation_bytes: int


@dataclass(frozen=True)
class Summary:
    """The layers in the order in which they run, and their totals."""

    layers: tuple[Layer, ...]

    @property
    def params(self) -> int:
        return sum(layer.params for layer in self.layers)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def activation_bytes(self) -> int:
        return sum(layer.activation_bytes for layer in self.layers)


def summarize(model: nn.Module, input_shape: Sequence[int]) -> Summary:
    """Describe every layer of `model` for a batch of the given shape.

    The shapes come from the meta device, so the largest network costs neither time nor memory.

    Shape: `input_shape` is (N, C, H, W).
    Raises: ConfigError when the picture does not fit the network.
    """
    if len(input_shape) != 4 or min(input_shape) < 1:
        raise ConfigError(
            f"The input shape {tuple(input_shape)} was given; it has to be four positive numbers: "
            "pictures, channels, height, width."
        )
    rows: list[Layer] = []

    def record(name: str, module: nn.Module, x: Tensor, y: Tensor) -> None:
        view = views.after(module, x, y)
        rows.append(
            Layer(
                name=name,
                kind=type(module).__name__,
                input_shape=tuple(x.shape),
                output_shape=tuple(y.shape),
                params=sum(p.numel() for p in module.parameters()),
                macs=multiply_accumulates(module, y),
                receptive_field=round(view.field),
                activation_bytes=y.numel() * y.element_size(),
            )
        )

    outline = private_copy(model, device="meta")
    x = torch.empty(tuple(input_shape), device="meta")
    views = ReceptiveFields(x)
    with torch.no_grad(), watching(leaves(outline), record), views:
        try:
            outline(x)
        except RuntimeError:
            if reason := catalog.misfit(model, tuple(input_shape)):
                raise ConfigError(reason) from None
            raise
    return Summary(tuple(rows))


def multiply_accumulates(module: nn.Module, y: Tensor) -> int:
    """Multiplications, each with an addition, that a layer does to make the output `y`."""
    if isinstance(module, nn.Conv2d):
        kernel_height, kernel_width = module.kernel_size
        return y.numel() * kernel_height * kernel_width * module.in_channels // module.groups
    if isinstance(module, nn.Linear):
        return y.numel() * module.in_features
    return 0


@dataclass(frozen=True)
class View:
    """What one value sees of the input: `field` pixels, and `jump` pixels to its neighbour."""

    field: float = 1
    jump: float = 1

    def through(self, kernel_size: int, stride: float, dilation: int = 1) -> "View":
        """The view after a window of `kernel_size` that moves by `stride`."""
        return View(self.field + (kernel_size - 1) * dilation * self.jump, self.jump * stride)


class ReceptiveFields(TorchFunctionMode):
    """Carries a View along with every tensor, through sums and concatenations as well.

    Where paths meet, the widest view counts.
    """

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        self._set(x, View())

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and not hasattr(result, "_view"):
            self._set(result, self._widest(args))
        return result

    def after(self, module: nn.Module, x: Tensor, y: Tensor) -> View:
        """Note and return what the output `y` of a layer sees, given its input `x`."""
        view: View = getattr(x, "_view", View())
        for kernel_size, stride, dilation in windows(module, x):
            view = view.through(kernel_size, stride, dilation)
        self._set(y, view)
        return view

    @staticmethod
    def _set(tensor: Tensor, view: View) -> None:
        tensor._view = view  # type: ignore[attr-defined]

    @staticmethod
    def _widest(args: Any) -> View:
        flat = [item for arg in args for item in (arg if isinstance(arg, list | tuple) else [arg])]
        seen = [item._view for item in flat if hasattr(item, "_view")]
        return max(seen, key=lambda view: view.field, default=View())


def square(side: Any) -> int:
    """One number where PyTorch allows one per axis; the chapter's windows are square."""
    return int(side if isinstance(side, int) else side[0])


def windows(module: nn.Module, x: Tensor) -> Iterator[tuple[int, float, int]]:
    """Kernel size, stride and dilation with which a layer looks at its input."""
    if isinstance(module, nn.Conv2d):
        yield module.kernel_size[0], module.stride[0], module.dilation[0]
    elif isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        yield square(module.kernel_size), square(module.stride), 1
    elif isinstance(module, nn.AdaptiveAvgPool2d):
        size, wanted = x.shape[2], square(module.output_size)
        # The windows differ by a pixel where the sizes do not divide: the widest counts, and
        # on average they step so that the last one ends at the border.
        widest = max(-(-(i + 1) * size // wanted) - i * size // wanted for i in range(wanted))
        yield widest, (size - widest) / max(1, wanted - 1), 1
    elif isinstance(module, nn.Flatten) and x.dim() == 4:
        # Every value of the vector that follows is a function of the whole map.
        yield x.shape[2], 1, 1
