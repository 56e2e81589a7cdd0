"""One value taken apart: its arithmetic gives the network's own number again."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from cnnlab import catalog
from cnnlab.errors import ConfigError
from cnnlab.explain.arithmetic import (
    Activation,
    Average,
    Combined,
    Dropout,
    Joined,
    Maximum,
    Normalization,
    Passed,
    Softmax,
    WeightedSum,
)
from cnnlab.explain.capture import capture
from cnnlab.explain.operations import OPERATIONS
from cnnlab.explain.receptive import Place, node_of
from cnnlab.explain.value import take_apart, value
from cnnlab.features import take_off_head
from cnnlab.networks.batch_norm import NormKind, norm_layer
from cnnlab.networks.options import ACTIVATIONS
from cnnlab.networks.options import Activation as ActivationName
from cnnlab.networks.residual import ZeroPadded
from cnnlab.trace import trace
from tests.unit.taken_apart import (
    anywhere,
    assert_equal,
    assert_taken_apart,
    drawn,
    lively,
    of_layer,
)

UNHURRIED = settings(max_examples=60, deadline=None)

sizes = {"size": st.integers(7, 12), "seed": st.integers(0, 9999)}
windows = {
    "kernel_size": st.integers(1, 4),
    "stride": st.integers(1, 4),
    "padding": st.integers(0, 3),
}


@UNHURRIED
@given(
    groups=st.sampled_from([1, 2, 4]),
    dilation=st.integers(1, 2),
    bias=st.booleans(),
    **windows,
    **sizes,
)
def test_convolutions(seed: int, size: int, **knobs: Any) -> None:
    torch.manual_seed(seed)
    captured = of_layer(nn.Conv2d(4, 8, **knobs), torch.randn(1, 4, size, size + 1))
    assert_taken_apart(captured, drawn(seed))
    found = value(captured, anywhere(tuple(captured.output.shape), drawn(seed))).arithmetic
    assert isinstance(found, WeightedSum)
    assert found.patch.shape == found.kernel.shape
    assert (found.patch[:, ~found.inside] == 0).all()
    parts, rest = found.largest(2)
    assert math.fsum([*(part.amount for part in parts), rest, found.bias]) == pytest.approx(
        found.result, abs=1e-6
    )
    left = set(found.channels) - {part.channel for part in parts}
    sums = dict(zip(found.channels, found.products.sum((1, 2)).tolist(), strict=True))
    assert all(abs(sums[c]) <= abs(parts[-1].amount) + 1e-12 for c in left)


@pytest.mark.parametrize("padding", ["same", "valid", (1, 2)])
def test_paddings_by_name_and_windows_that_are_not_square(padding: Any) -> None:
    torch.manual_seed(1)
    layer = nn.Conv2d(2, 3, (2, 5), padding=padding, dilation=(2, 1))
    assert_taken_apart(of_layer(layer, torch.randn(1, 2, 9, 9)), drawn(0), places=9)


@UNHURRIED
@given(ceil_mode=st.booleans(), dilation=st.integers(1, 2), **windows, **sizes)
def test_max_pooling(seed: int, size: int, **knobs: Any) -> None:
    knobs["padding"] = min(knobs["padding"], knobs["kernel_size"] // 2)
    x = torch.randn(1, 2, size, size, generator=drawn(seed))
    captured = of_layer(nn.MaxPool2d(**knobs), x)
    assert_taken_apart(captured, drawn(seed))
    found = value(captured, Place(1, 0, 0)).arithmetic
    assert isinstance(found, Maximum)
    row, column = (i * knobs["dilation"] - knobs["padding"] for i in found.place)
    assert float(x[0, 1, row, column]) == pytest.approx(found.result)


@UNHURRIED
@given(ceil_mode=st.booleans(), count_include_pad=st.booleans(), **windows, **sizes)
def test_average_pooling(seed: int, size: int, **knobs: Any) -> None:
    knobs["padding"] = min(knobs["padding"], knobs["kernel_size"] // 2)
    x = torch.randn(1, 2, size, size, generator=drawn(seed))
    captured = of_layer(nn.AvgPool2d(**knobs), x)
    assert_taken_apart(captured, drawn(seed), places=6)
    last = Place(1, captured.output.shape[2] - 1, captured.output.shape[3] - 1)
    found = value(captured, last)
    assert isinstance(found.arithmetic, Average)
    assert_equal(found.arithmetic.result, found.given)


@UNHURRIED
@given(wanted=st.sampled_from([1, 3, (2, 5), (None, 1)]), largest=st.booleans(), **sizes)
def test_adaptive_pooling(seed: int, size: int, wanted: Any, largest: bool) -> None:
    x = torch.randn(1, 2, size, size + 2, generator=drawn(seed))
    layer = nn.AdaptiveMaxPool2d(wanted) if largest else nn.AdaptiveAvgPool2d(wanted)
    assert_taken_apart(of_layer(layer, x), drawn(seed))


@UNHURRIED
@given(name=st.sampled_from(sorted(ACTIVATIONS)), **sizes)
def test_activations(name: ActivationName, size: int, seed: int) -> None:
    x = 3 * torch.randn(1, 2, size, size, generator=drawn(seed))
    captured = of_layer(ACTIVATIONS[name](), x)
    assert_taken_apart(captured, drawn(seed))
    found = value(captured, Place(1, 2, 3)).arithmetic
    assert isinstance(found, Activation)
    assert found.function == str(name)
    assert found.x == pytest.approx(float(x[0, 1, 2, 3]))


@UNHURRIED
@given(
    kind=st.sampled_from(["full", "frozen", "mean_only", "variance_only", "batch_statistics"]),
    maps=st.booleans(),
    **sizes,
)
def test_batch_norm(kind: NormKind, maps: bool, size: int, seed: int) -> None:
    layer = lively(norm_layer(kind, 3, maps=True), seed)
    x = torch.randn(1, 3, size, size, generator=drawn(seed))
    model = nn.Sequential(nn.LeakyReLU(1.0), layer).eval()
    if not maps:
        flat = lively(norm_layer(kind, 3 * size * size, maps=False), seed)
        model = nn.Sequential(nn.Flatten(), flat).eval()
    captured = capture(model, x, 2)
    assert_taken_apart(captured, drawn(seed))
    found = value(captured, Place(1)).arithmetic
    assert isinstance(found, Normalization)
    assert kind != "mean_only" or found.deviation == 1
    assert kind != "variance_only" or found.mean == 0


@UNHURRIED
@given(bias=st.booleans(), features=st.integers(1, 20), **sizes)
def test_fully_connected(size: int, seed: int, features: int, bias: bool) -> None:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(2 * size * size, features, bias)).eval()
    captured = capture(model, torch.randn(1, 2, size, size), 2)
    assert_taken_apart(captured, drawn(seed))
    found = value(captured, Place(0)).arithmetic
    assert isinstance(found, WeightedSum)
    assert len(found.channels) == 2 * size * size


class Several(nn.Module):
    """Functions that a block calls itself; a block is a module with parts."""

    def __init__(self) -> None:
        super().__init__()
        self.part = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = torch.cat([x, x * 2, functional.relu(x)], dim=1)
        y = y + y.mean((2, 3), keepdim=True).sigmoid()
        return 1 + torch.add(y, y, alpha=-0.5).softmax(dim=1) * y


def test_functions_of_a_block() -> None:
    model, x = nn.Sequential(nn.LeakyReLU(1.0), Several()), torch.randn(1, 2, 4, 4)
    names = [node.operation for node in trace(model, (1, 2, 4, 4)).nodes]
    kinds = {}
    for node, name in enumerate(names):
        if name == "mean":
            continue
        captured = capture(model, x, node)
        assert_taken_apart(captured, drawn(node), places=9)
        kinds[name] = type(value(captured, Place(1, 0, 0)).arithmetic)
    assert names.count("mean") == 1
    assert {"cat": Joined, "add": Combined, "mul": Combined, "softmax": Softmax}.items() <= (
        kinds.items()
    )
    found = value(capture(model, x, names.index("cat")), Place(3, 1, 1)).arithmetic
    assert (found.part, found.channel, found.sizes) == (1, 1, (2, 2, 2))  # type: ignore[union-attr]


def test_a_function_of_which_nothing_is_known() -> None:
    model = nn.Sequential(nn.LeakyReLU(1.0), nn.PixelShuffle(2))
    with pytest.raises(ConfigError, match="PixelShuffle is not taken apart here"):
        take_apart(model, torch.rand(1, 4, 3, 3), 2, Place(0))


def test_layers_whose_weights_are_not_loaded() -> None:
    model = catalog.build("lenet")
    found = trace(model, (1, 1, 28, 28))
    take_off_head(model, found.shapes)
    with pytest.raises(ConfigError, match="too large to be loaded here"):
        take_apart(model, torch.rand(1, 1, 28, 28), node_of(found, "fc2"), Place(0))


def test_moved_values_come_from_where_they_stood() -> None:
    x = torch.randn(1, 2, 6, 6)
    skip = of_layer(ZeroPadded(3, 2), x)
    found = value(skip, Place(1, 2, 1)).arithmetic
    assert found == Passed((0, 1, 4, 2), float(x[0, 1, 4, 2]))
    assert value(skip, Place(4, 2, 1)).arithmetic == Passed((), 0.0)
    flat = capture(nn.Sequential(nn.Flatten()), x, 1)
    assert value(flat, Place(36 + 6 + 5)).arithmetic == Passed((0, 1, 1, 5), float(x[0, 1, 1, 5]))
    assert value(capture(nn.Sequential(nn.ReLU()), x, 0), Place(1, 3, 3)).given == float(
        x[0, 1, 3, 3]
    )


@UNHURRIED
@given(p=st.floats(0, 0.9), **sizes)
def test_dropout_in_both_modes(p: float, size: int, seed: int) -> None:
    x = torch.randn(1, 2, size, size, generator=drawn(seed))
    captured = of_layer(nn.Dropout(p), x)
    found = value(captured, Place(0, 1, 1)).arithmetic
    assert isinstance(found, Dropout)
    assert_equal(found.result, float(x[0, 0, 1, 1]))
    torch.manual_seed(seed)
    training = float(functional.dropout(x, p, training=True)[0, 0, 1, 1])
    assert training == 0 or training == pytest.approx(found.kept, rel=1e-5)
    assert_equal(found.mean, found.x)


def test_all_dropped() -> None:
    assert OPERATIONS["dropout"]((0, 0), torch.ones(1, 1), 1.0).mean == 0  # type: ignore[union-attr]


@UNHURRIED
@given(st.lists(st.floats(-300, 300, width=32), min_size=1, max_size=12), st.data())
def test_softmax(logits: list[float], data: st.DataObject) -> None:
    x = torch.tensor(logits)
    index = data.draw(st.integers(0, len(logits) - 1))
    found = Softmax(x, index)
    assert_equal(found.result, float(x.softmax(0)[index]))
    shares = [Softmax(x, i).result for i in range(len(logits))]
    assert math.fsum(shares) == pytest.approx(1)


def hooks(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def test_no_hook_is_left_behind_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on the model, nor on the copy that runs."""
    copies: list[nn.Module] = []

    def note(model: nn.Module) -> nn.Module:
        copies.append(model)
        return model.eval()

    monkeypatch.setattr("cnnlab.explain.capture.set_for_shapes", note)

    class Broken(nn.Module):
        def forward(self, _x: Tensor) -> Tensor:
            raise KeyError("broken")

    model = nn.Sequential(nn.Conv2d(1, 1, 1), Broken())
    with pytest.raises(KeyError):
        capture(model, torch.rand(1, 1, 2, 2), 2)
    whole = nn.Sequential(nn.Conv2d(1, 1, 1))
    capture(whole, torch.rand(1, 1, 2, 2), 1)
    capture(whole, torch.rand(1, 1, 2, 2), 0)
    with pytest.raises(ConfigError, match="node: 7 was given; Sequential has 2, from 0"):
        capture(whole, torch.rand(1, 1, 2, 2), 7)
    assert len(copies) == 4
    assert [hooks(m) for m in (model, whole, *copies)] == [0] * 6


@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 1, 4, 4), (1, 3, 28, 28)])
def test_pictures_that_do_not_fit(shape: tuple[int, ...]) -> None:
    model = catalog.build("lenet")
    with pytest.raises(ConfigError, match=r"given|too small"):
        capture(model, torch.rand(*shape), 5)


def test_the_callers_batch_and_model_stay_as_they_were() -> None:
    model, batch = catalog.build("lenet").train(), torch.rand(1, 1, 28, 28)
    take_apart(model, batch, 3, Place(0, 0, 0))
    assert model.training
    assert not hasattr(batch, "_origin")
    assert hooks(model) == 0
