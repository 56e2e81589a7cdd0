"""The neighbourhood that is sent: its numbers give every value that can be stepped to."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cnnlab import catalog
from cnnlab.explain.arithmetic import (
    Activation,
    Arithmetic,
    Average,
    Combined,
    Dropout,
    Joined,
    Maximum,
    Normalization,
    WeightedSum,
)
from cnnlab.explain.capture import capture
from cnnlab.explain.receptive import Place
from cnnlab.explain.value import value
from cnnlab.explain.walk import MOST_STEPS, MOST_VALUES, SHOWN, Source, Walk, walk
from cnnlab.trace import trace
from tests.unit.taken_apart import drawn, lively, of_layer


def read_by(path: Walk, source: Source, row: int, column: int) -> Tensor:
    """The patch of a source, padding as no number. Shape: (k, k')."""
    rows, columns = path.rows[row], path.columns[column]
    found = source.values[rows.clip(0)][:, columns.clip(0)].clone()
    found[torch.from_numpy((rows < 0)[:, None] | (columns < 0))] = torch.nan
    return found


def again(path: Walk, found: Arithmetic, row: int, column: int) -> float:
    """A value of the output, from what is sent alone."""
    patches = [read_by(path, source, row, column) for source in path.sources]
    first = float(patches[0].nan_to_num(0).flatten()[0])
    match found:
        case WeightedSum():
            total = 0.0
            for patch, source in zip(patches, path.sources, strict=True):
                assert source.kernel is not None
                total += float((patch.nan_to_num(0) * source.kernel).sum())
            rest = 0.0 if path.rest is None else float(path.rest[row, column])
            return total + rest + path.bias
        case Average():
            assert path.counts is not None
            return float(patches[0].nansum() / path.counts[row, column])
        case Maximum():
            return float(patches[0].nan_to_num(-torch.inf).max())
        case Activation():
            if found.function == "leaky_relu":
                return first if first > 0 else found.slope * first
            gelu = found.function == "gelu"
            function = nn.functional.gelu if gelu else getattr(torch, found.function)
            return float(function(torch.tensor(first)))
        case Normalization():
            return found.gamma * (first - found.mean) / found.deviation + found.beta
        case Combined():
            values = [float(patch[0, 0]) for patch in patches]
            return sum(values) if found.operation == "add" else float(np.prod(values))
        case Dropout() | Joined():
            return first
    raise AssertionError(found)


def assert_every_step(model: nn.Module, batch: Tensor, node: int, place: Place) -> Walk | None:
    with torch.no_grad():
        found = value(capture(model, batch, node), place)
    path = walk(found)
    if path is None:
        return None
    assert len(path.sources) <= SHOWN
    assert sum(source.values.numel() for source in path.sources) <= MOST_VALUES
    assert max(path.output.shape) <= 2 * MOST_STEPS + 1
    here = path.output[place.row - path.top, place.column - path.left]
    assert float(here) == found.given
    for row, column in np.ndindex(*path.output.shape):
        expected = float(path.output[row, column])
        assert again(path, found.arithmetic, row, column) == pytest.approx(
            expected, rel=1e-3, abs=1e-4
        ), (row, column)
    return path


@pytest.mark.parametrize("name", catalog.NETWORKS)
def test_nodes_of_the_small_presets(name: str) -> None:
    spec = catalog.NETWORKS[name]
    options, size = spec.presets["small"], spec.preset_image_size("small")
    torch.manual_seed(0)
    model = lively(spec.build(options, image_size=size), 0)
    batch = torch.rand(1, 1, size, size)
    nodes = trace(model, tuple(batch.shape)).nodes
    random, walked = drawn(0), 0
    for node in range(1, len(nodes), 7 if len(nodes) > 60 else 2):
        shape = nodes[node].output_shape
        sides = (*shape[1:], 1, 1)[:3]
        place = Place(*(int(torch.randint(0, s, (1,), generator=random)) for s in sides))
        path = assert_every_step(model, batch, node, place)
        assert (path is None) == (len(shape) < 4)
        walked += path is not None
    assert walked >= 3


@settings(max_examples=40, deadline=None)
@given(
    kernel_size=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 2]),
    seed=st.integers(0, 999),
)
def test_convolutions(seed: int, **knobs: Any) -> None:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.LeakyReLU(1.0), nn.Conv2d(8, 4, **knobs)).eval()
    place = Place(seed % 4, 0, 0)
    path = assert_every_step(model, torch.randn(1, 8, 9, 9), 2, place)
    assert path is not None
    assert path.others == 8 // knobs["groups"] - len(path.sources)
    assert (path.rest is None) == (path.others == 0)


@settings(max_examples=40, deadline=None)
@given(
    kernel_size=st.integers(1, 4),
    stride=st.integers(1, 3),
    ceil_mode=st.booleans(),
    count_include_pad=st.booleans(),
    largest=st.booleans(),
    seed=st.integers(0, 999),
)
def test_poolings(seed: int, largest: bool, count_include_pad: bool, **knobs: Any) -> None:
    knobs["padding"] = knobs["kernel_size"] // 2
    layer: nn.Module = nn.MaxPool2d(**knobs)
    if not largest:
        layer = nn.AvgPool2d(**knobs, count_include_pad=count_include_pad)
    x = torch.randn(1, 2, 9, 9, generator=drawn(seed))
    assert assert_every_step(nn.Sequential(nn.LeakyReLU(1.0), layer).eval(), x, 2, Place(1, 0, 1))


def test_what_does_not_fit_is_cut_smaller() -> None:
    """AlexNet's first layer reads 4 pixels a step in three channels."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 11, stride=4))
    path = assert_every_step(model, torch.rand(1, 3, 200, 200), 1, Place(0, 20, 30))
    assert path is not None
    assert 5 <= len(path.output) < 2 * MOST_STEPS + 1
    assert (path.top, path.left) == (20 - len(path.output) // 2, 30 - len(path.output) // 2)
    assert (path.input_top, path.input_left) == (4 * path.top, 4 * path.left)


def test_windows_that_lie_in_the_padding_altogether() -> None:
    found = value(of_layer(nn.Conv2d(1, 1, 2, padding=40), torch.rand(1, 1, 4, 4)), Place(0, 1, 1))
    path = walk(found)
    assert path is not None
    assert (path.rows == -1).all()
    assert again(path, found.arithmetic, 0, 0) == pytest.approx(found.given)


def test_a_convolution_called_by_name() -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(2, 5, 3, 3))

        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.conv2d(x, self.weight, stride=2, padding=1)

    path = assert_every_step(nn.Sequential(Named()), torch.randn(1, 5, 8, 8), 1, Place(1, 1, 1))
    assert path is not None
    assert path.others == 2
