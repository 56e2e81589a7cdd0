"""Values of a network taken apart, and held against the network's own."""

import pytest
import torch
from torch import Tensor, nn

from cnnlab.explain.capture import Captured, capture
from cnnlab.explain.receptive import Place
from cnnlab.explain.value import value


def drawn(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def anywhere(shape: tuple[int, ...], random: torch.Generator) -> Place:
    sides = (*shape[1:], 1, 1)[:3]
    return Place(*(int(torch.randint(0, side, (1,), generator=random)) for side in sides))


def assert_equal(found: float, expected: float) -> None:
    assert found == pytest.approx(expected, rel=2e-4, abs=2e-5)


def assert_taken_apart(captured: Captured, random: torch.Generator, places: int = 3) -> None:
    for _ in range(places):
        found = value(captured, anywhere(tuple(captured.output.shape), random))
        assert_equal(found.arithmetic.result, found.given)


def lively(model: nn.Module, seed: int) -> nn.Module:
    """Statistics and shifts that do something, as after training."""
    random = drawn(seed)
    for name, statistics in model.named_buffers():
        if name.endswith("running_mean"):
            statistics.normal_(0, 0.5, generator=random)
        elif name.endswith("running_var"):
            statistics.uniform_(0.5, 2, generator=random)
    for parameter in model.parameters():
        if parameter.dim() == 1:
            nn.init.uniform_(parameter, -0.5, 1.5, generator=random)
    return model


def of_layer(layer: nn.Module, batch: Tensor) -> Captured:
    """What a layer makes of an input, behind a step that makes it part of a network."""
    model = nn.Sequential(nn.LeakyReLU(1.0), layer).eval()
    with torch.no_grad():
        return capture(model, batch, node=2)
