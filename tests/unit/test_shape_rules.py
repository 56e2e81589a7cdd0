"""Functions that keep a shape are not computed; the trace is the same as if they were."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from cnnlab import catalog, shape_rules
from cnnlab import trace as tracing
from cnnlab.networks.options import ACTIVATIONS
from cnnlab.trace import recorded, trace
from tests.unit.knobs import PRESETS


def computed(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return function(*args, **kwargs)


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_the_trace_is_that_of_pytorch(
    name: str, preset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, size = catalog.NETWORKS[name], 65 if name == "densenet" else 224
    options = spec.presets[preset]
    shape = (1, options.in_channels, size, size)
    short = recorded(spec.outline(options, size), shape)
    monkeypatch.setattr(tracing, "call", computed)
    long = recorded(spec.outline(options, size), shape)
    assert (short.nodes, short.edges, short.ends) == (long.nodes, long.edges, long.ends)
    assert dict(short.shapes) == dict(long.shapes)


@pytest.mark.parametrize("kind", ACTIVATIONS.values())
def test_no_activation_is_computed(kind: type[nn.Module], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, bool] = {}
    keeps = shape_rules.keeps_shape

    def noted(function: Any, *given: Any) -> bool:
        return asked.setdefault(shape_rules.name_of(function), keeps(function, *given))

    monkeypatch.setattr(shape_rules, "keeps_shape", noted)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), kind())
    found = trace(model, (1, 1, 9, 9))
    assert [node.output_shape for node in found.nodes] == [(1, 1, 9, 9)] + 3 * [(1, 2, 7, 7)]
    names = {name for name, kept in asked.items() if kept}
    assert "batch_norm" in names
    assert len(names) == 2, f"the activation is not among {names}"


def test_values_are_computed_where_there_are_some() -> None:
    x = torch.tensor([-1.0, 2.0])
    assert torch.equal(shape_rules.call(functional.relu, (x,), {}), torch.tensor([0.0, 2.0]))


def test_in_place_stays_in_place() -> None:
    x = torch.empty(1, 2, 3, 3, device="meta")
    assert shape_rules.call(functional.relu, (x,), {"inplace": True}) is x
    made = shape_rules.call(functional.relu, (x,), {})
    assert made is not x
    assert (made.shape, made.dtype) == (x.shape, x.dtype)


def test_a_batch_norm_that_does_not_fit_is_found_out() -> None:
    for norm in (nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False)):
        with pytest.raises(RuntimeError, match="4"):
            recorded(nn.Sequential(nn.Conv2d(1, 3, 1), norm).to("meta"), (1, 1, 5, 5))


def test_one_that_is_training_is_computed() -> None:
    x = torch.empty(2, 3, device="meta")
    mean, variance = torch.zeros(3, device="meta"), torch.ones(3, device="meta")
    assert shape_rules.fits_channels(x, (mean, variance))
    assert not shape_rules.fits_channels(x, (mean, variance), training=True)
    assert not shape_rules.fits_channels(x, (mean, variance, None, None, True, 0.1, 1e-5))


def either(sizes: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    return sizes | st.tuples(sizes, sizes)


SMALL = st.integers(1, 3)


@given(
    side=st.integers(1, 9),
    kernel=st.tuples(SMALL, SMALL),
    channels=st.integers(1, 4),
    per_group=st.integers(1, 4),
    filters=st.integers(1, 4),
    groups=st.integers(1, 2),
    has_bias=st.booleans(),
    bias_fits=st.booleans(),
    stride=either(SMALL),
    padding=either(st.integers(0, 2)) | st.sampled_from(["same", "valid"]),
    dilation=either(SMALL),
)
def test_a_convolution_makes_what_pytorch_makes(
    side: int,
    kernel: tuple[int, int],
    channels: int,
    per_group: int,
    filters: int,
    groups: int,
    has_bias: bool,
    bias_fits: bool,
    stride: Any,
    padding: Any,
    dilation: Any,
) -> None:
    x = torch.empty(2, channels, side, side + 1, device="meta")
    weight = torch.empty(filters, per_group, *kernel, device="meta")
    bias = torch.empty(filters + (not bias_fits), device="meta") if has_bias else None
    args = (x, weight, bias, stride, padding, dilation, groups)
    try:
        expected = functional.conv2d(*args).shape
    except RuntimeError:
        with pytest.raises(RuntimeError):
            shape_rules.call(functional.conv2d, args, {})
        return
    assert shape_rules.call(functional.conv2d, args, {}).shape == expected
    named = {"bias": bias, "stride": stride, "padding": padding, "groups": groups}
    made = shape_rules.call(functional.conv2d, (x, weight), named | {"dilation": dilation})
    assert made.shape == expected


def test_no_convolution_of_a_known_shape_is_left_to_pytorch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = catalog.NETWORKS["resnet"]
    known, found = shape_rules.convolved, []

    def noted(*args: Any, **kwargs: Any) -> Any:
        found.append(known(*args, **kwargs))
        return found[-1]

    monkeypatch.setattr(shape_rules, "convolved", noted)
    recorded(spec.build(spec.presets["small"], device="meta"), (1, 1, 64, 64))
    assert len(found) > 5
    assert None not in found


class Noting(TorchDispatchMode):
    """Notes what PyTorch works out inside."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_no_weight_without_values_is_drawn(name: str, preset: str) -> None:
    spec = catalog.NETWORKS[name]
    with Noting() as worked_out:
        model = spec.build(spec.presets[preset].replace(num_classes=7), device="meta")
    assert worked_out.names
    assert not worked_out.names & {"uniform_", "normal_", "fill_", "zero_"}
    assert all(isinstance(weight, nn.Parameter) for weight in model.parameters())


def test_weights_that_have_values_are_drawn() -> None:
    with shape_rules.ShapesOnly():
        layer = nn.Linear(100, 100)
        norm = nn.BatchNorm2d(3)
    assert 0.01 < float(layer.weight.detach().std()) < 1
    assert norm.weight.tolist() == [1, 1, 1]
