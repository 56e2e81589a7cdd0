"""Watching a model while a picture passes through it, and leaving no trace behind."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

Watcher = Callable[[str, nn.Module, Tensor, Tensor], None]


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
    """Call `watcher(name, module, input, output)` after each of `modules`; hooks go at the end."""
    handles = [
        module.register_forward_hook(
            lambda module, args, output, name=name: watcher(name, module, args[0], output)
        )
        for name, module in modules
    ]
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
