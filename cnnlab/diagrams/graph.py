"""What a model does to a tensor, step by step, found by running it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnlab import catalog
from cnnlab.errors import ConfigError
from cnnlab.tracing import evaluating, watching

Shape = tuple[int, ...]
ModuleTypes = tuple[type[nn.Module], ...]

# Where paths meet: what a block's forward does itself, without a module.
MEETINGS = ("add", "cat")


@dataclass(frozen=True)
class Step:
    """A module, or the name of an operation, with the steps whose outputs it reads.

    Shape: without the batch, (C, H, W) or (features,).
    """

    name: str
    operation: nn.Module | str
    sources: tuple[int, ...]
    input_shape: Shape
    shape: Shape


Steps = dict[int, Step]


def trace(model: nn.Module, input_shape: Sequence[int], whole: ModuleTypes = ()) -> Steps:
    """The steps that lead to the output, in running order; a module of `whole` is one step.

    On the meta device this costs neither time nor memory.

    Shape: `input_shape` is (N, C, H, W).
    Raises: ConfigError when the picture does not fit the network.
    """
    if len(input_shape) != 4 or min(input_shape) < 1:
        raise ConfigError(
            f"The input shape {tuple(input_shape)} was given; it has to be four positive numbers: "
            "pictures, channels, height, width."
        )
    weight = next(model.parameters(), None)
    x = torch.empty(tuple(input_shape), device="meta" if weight is None else weight.device)
    recorder = Recorder(x)
    modules = parts(model, whole)
    with torch.no_grad(), evaluating(model), watching(modules, recorder.module), recorder:
        try:
            y = model(x)
        except RuntimeError:
            if reason := catalog.misfit(model, tuple(input_shape)):
                raise ConfigError(reason) from None
            raise
    return recorder.leading_to(y)


def parts(module: nn.Module, whole: ModuleTypes, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The modules that do the work, with their names; a module of `whole` is not opened."""
    if isinstance(module, whole) or not any(module.children()):
        if not isinstance(module, nn.Identity):
            yield name, module
        return
    for key, child in module.named_children():
        yield from parts(child, whole, f"{name}.{key}" if name else key)


class Recorder(TorchFunctionMode):
    """Notes on every tensor which step has made it."""

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self._add("input", "input", (), x)

    def module(self, name: str, module: nn.Module, x: Tensor, y: Tensor) -> None:
        """Note that a module has made `y` of `x`."""
        self._add(name, module, (x,), y)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        flat = [item for arg in args for item in (arg if isinstance(arg, list | tuple) else [arg])]
        read = [item for item in flat if hasattr(item, "_step")]
        if isinstance(result, Tensor) and read:
            name = getattr(func, "__name__", "")
            if name in MEETINGS:
                self._add(name, name, read, result)
            elif not hasattr(result, "_step"):
                # The inside of a module: its hook notes the module itself right after.
                result._step = read[0]._step  # type: ignore[attr-defined]
        return result

    def leading_to(self, y: Tensor) -> Steps:
        """The steps on which `y` depends; what happened inside a whole module is left out."""
        needed = {y._step}  # type: ignore[attr-defined]
        for i in reversed(range(len(self.steps))):
            if i in needed:
                needed.update(self.steps[i].sources)
        return {i: self.steps[i] for i in sorted(needed)}

    def _add(
        self, name: str, operation: nn.Module | str, read: Sequence[Tensor], made: Tensor
    ) -> None:
        sources = tuple(x._step for x in read)  # type: ignore[attr-defined]
        input_shape = tuple((read[0] if read else made).shape[1:])
        self.steps.append(Step(name, operation, sources, input_shape, tuple(made.shape[1:])))
        made._step = len(self.steps) - 1  # type: ignore[attr-defined]
