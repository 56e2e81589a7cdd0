"""Forward hooks on a model: set for a pass and taken off after it, its modes restored."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

Watcher = Callable[[str, nn.Module, Tensor, Tensor], None]


def private_copy(model: nn.Module, device: str | None = None) -> nn.Module:
    """A copy in prediction mode that shares the weights of `model`, or has none on "meta".

    A server's visitors share models, each in a thread: a hook on the model itself would also see
    the pictures of the others.
    """
    # What is used in two places is one thing in the copy too.
    copies: dict[int, Any] = {}

    def weight(tensor: Tensor | None) -> Tensor | None:
        if tensor is None or device is None:
            return tensor
        if id(tensor) not in copies:
            copies[id(tensor)] = without_values(tensor, device)
        found: Tensor = copies[id(tensor)]
        return found

    def part(module: nn.Module) -> nn.Module:
        if id(module) not in copies:
            # As `copy.deepcopy`, but ten times as fast: what a module is made of is known.
            twin = copies[id(module)] = object.__new__(type(module))
            own = {name: own_container(value) for name, value in vars(module).items()}
            vars(twin).update(own, training=False)
            for tensors in (own["_parameters"], own["_buffers"]):
                tensors.update({name: weight(tensor) for name, tensor in tensors.items()})
            for name, inner in own["_modules"].items():
                own["_modules"][name] = None if inner is None else part(inner)
        found: nn.Module = copies[id(module)]
        return found

    return part(model)


def without_values(tensor: Tensor, device: str) -> Tensor:
    """One of the same shape and kind elsewhere, nothing in it."""
    # `empty_like` would take forty times as long on "meta".
    empty = torch.empty(tensor.shape, dtype=tensor.dtype, device=device)
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(empty, requires_grad=tensor.requires_grad)
    return empty


def own_container(value: Any) -> Any:
    """A copy of what can be added to, such as a module's hooks; else the value itself."""
    if not isinstance(value, dict | list | set):
        return value
    # Most are empty, and a copy of nothing takes five times as long as nothing.
    return value.copy() if value else type(value)()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Prediction mode inside, each module's own mode restored after."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


@contextmanager
def watching(modules: Iterable[tuple[str, nn.Module]], watcher: Watcher) -> Iterator[None]:
    """Call `watcher(name, module, input, output)` after each of `modules`; hooks go at the end.

    Several threads may watch one model; each hears only of its own pass.
    """
    own_thread = threading.get_ident()

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def call(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
            if threading.get_ident() == own_thread:
                watcher(name, module, args[0], output)

        return call

    handles = [module.register_forward_hook(hook(name)) for name, module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def leaves(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules that do the work, with their names: no containers, no Identity."""
    return [
        (name, module)
        for name, module in model.named_modules()
        if not any(module.children()) and not isinstance(module, nn.Identity)
    ]


def training_heads(model: nn.Module) -> dict[str, nn.Module]:
    """The modules, by path, that say of themselves that they run in training only."""
    return {
        path: module
        for path, module in model.named_modules()
        if getattr(module, "training_only", False)
    }


def set_for_shapes(model: nn.Module) -> nn.Module:
    """Prediction mode, in which what else runs in training only runs too: all shapes are seen."""
    model.eval()
    for head in training_heads(model).values():
        # The mark alone: what it is made of stays in prediction mode.
        head.training = True
    return model
