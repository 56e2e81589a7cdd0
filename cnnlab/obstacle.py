"""Obstacle: the layer at which a picture that is too small for a network comes to its end."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cnnlab.hooks import leaves, set_for_shapes
from cnnlab.shape_rules import ShapesOnly

# No layer of the chapter asks for more pixels per side.
MOST_NEEDED = 32


@dataclass(frozen=True)
class Obstacle:
    """A layer that cannot work with the maps that reach it. Units: pixels per side."""

    path: str
    got: int
    needs: int


def obstacle(model: nn.Module, shape: tuple[int, ...]) -> Obstacle | None:
    """The first layer of a model on the meta device that a batch of this shape does not pass.

    None where it passes all of them, or where the size of the maps is not the reason.

    Shape: (N, C, H, H).
    """
    entered: list[tuple[str, nn.Module, Tensor]] = []

    def enter(path: str) -> Any:
        return lambda module, args: entered.append((path, module, args[0]))

    handles = [layer.register_forward_pre_hook(enter(path)) for path, layer in leaves(model)]
    try:
        if passes(model, shape) or not entered:
            return None
    finally:
        for handle in handles:
            handle.remove()
    path, layer, x = entered[-1]
    if x.dim() != 4:
        return None
    sides = range(x.shape[2] + 1, MOST_NEEDED + 1)
    needs = next((n for n in sides if passes(layer, (1, x.shape[1], n, n))), None)
    return None if needs is None else Obstacle(path, x.shape[2], needs)


def passes(model: nn.Module, shape: tuple[int, ...]) -> bool:
    """Whether a batch of this shape passes through a model that is on the meta device."""
    try:
        with torch.no_grad(), ShapesOnly():
            set_for_shapes(model)(torch.empty(shape, device="meta"))
    except RuntimeError:
        return False
    return True
