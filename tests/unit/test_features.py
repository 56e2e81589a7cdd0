"""Feature maps, their statistics and their mosaic."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor, nn

from cnnlab import catalog, features
from cnnlab.errors import ConfigError
from cnnlab.trace import trace_of
from tests.unit.knobs import meet_inside, options_of, thin

NETWORKS = list(catalog.NETWORKS)
BLOCKS = {"googlenet": "inception4c", "resnet": "stage2.block1", "densenet": "dense2"}

finite_maps = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9),
    elements=st.floats(-100, 100, width=32) | st.just(0.0),
)


def network(name: str) -> tuple[nn.Module, Tensor]:
    """A thin network with batch norm, and two pictures that fit it."""
    spec = catalog.NETWORKS[name]
    torch.manual_seed(0)
    model = spec.build(thin(name, "small").replace(batch_norm=True))
    options = options_of(model)
    size = spec.default_image_size(options)
    return model, torch.rand(2, options.in_channels, size, size)


def mixed_modes(model: nn.Module) -> list[bool]:
    for i, module in enumerate(model.modules()):
        module.training = i % 3 == 0
    return [module.training for module in model.modules()]


def hooks(model: nn.Module) -> list[object]:
    return [
        hook
        for module in model.modules()
        for kind in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        for hook in kind.values()
    ]


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_are_what_the_layers_make(name: str) -> None:
    model, x = network(name)
    model.eval()
    expected: dict[str, Tensor] = {}
    handles = [
        module.register_forward_hook(lambda _m, _x, y, n=n: expected.update({n: y.detach()}))
        for n, module in model.named_modules()
        if not isinstance(module, nn.Sequential | nn.Identity)
    ]
    model(x)
    for handle in handles:
        handle.remove()
    maps = features.extract(model, x)
    assert list(maps) == [n for n, y in expected.items() if y.dim() == 4]
    for n, y in maps.items():
        torch.testing.assert_close(y, expected[n])
        assert len(y) == 2
        assert not y.requires_grad
    # Blocks of one's own are there as well as their layers, and nothing that is a vector.
    assert name not in BLOCKS or BLOCKS[name] in maps
    assert not any("fc" in n or "flatten" in n for n in maps)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_trace_is_left(name: str) -> None:
    model, x = network(name)
    modes = mixed_modes(model)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    before = x.clone()
    features.extract(model, x)
    assert hooks(model) == []
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())
    assert torch.equal(x, before)


@pytest.mark.parametrize("fault", [RuntimeError("broken"), KeyError("broken"), MemoryError()])
def test_no_trace_is_left_after_an_exception(fault: Exception) -> None:
    model, x = network("resnet")

    class Broken(nn.Module):
        def forward(self, _x: Tensor) -> Tensor:
            raise fault

    model.get_submodule("stage3.block1").act1 = Broken()
    modes = mixed_modes(model)
    with pytest.raises(type(fault)):
        features.extract(model, x)
    assert hooks(model) == []
    assert [module.training for module in model.modules()] == modes


def test_two_visitors_of_one_model_see_their_own_pictures() -> None:
    """Both are inside the model at once; a barrier at its door and at its end makes sure."""
    model, _ = network("resnet")
    pictures = [torch.rand(1, 1, 32, 32), torch.rand(1, 1, 32, 32)]
    alone = [features.extract(model, x) for x in pictures]
    meet_inside(model)
    with ThreadPoolExecutor(2) as pool:
        maps = list(pool.map(features.extract, [model, model], pictures))
    for mine, expected in zip(maps, alone, strict=True):
        for name, y in mine.items():
            torch.testing.assert_close(y, expected[name])


def test_only_the_layers_asked_for_in_running_order() -> None:
    model, x = network("lenet")
    assert list(features.extract(model, x, ["pool2", "conv1"])) == ["conv1", "pool2"]
    assert features.extract(model, x, []) == {}


def test_an_unknown_layer_is_named_and_the_known_ones_listed() -> None:
    model, x = network("lenet")
    with pytest.raises(ConfigError, match="no layer 'conv9' in this LeNet; it has conv1, norm1,"):
        features.extract(model, x, ["conv1", "conv9"])
    assert hooks(model) == []


@pytest.mark.parametrize("name", NETWORKS)
def test_pictures_that_do_not_fit(name: str) -> None:
    model, x = network(name)
    with pytest.raises(ConfigError, match=r"4 were given\. Build it with in_channels=4"):
        features.extract(model, torch.rand(1, 4, *x.shape[2:]))
    for shape in (x.shape[1:], x.shape[2:], (1, *x.shape)):
        with pytest.raises(ConfigError, match="four axes: pictures, channels, height, width"):
            features.extract(model, torch.rand(shape))
    assert hooks(model) == []


@pytest.mark.parametrize("name", ["resnet", "lenet"])
def test_a_fault_that_is_not_the_size_is_not_called_one(name: str) -> None:
    model, x = network(name)
    with pytest.raises(RuntimeError, match="type"):
        features.extract(model, (x * 255).to(torch.uint8))
    assert hooks(model) == []


@settings(deadline=None, max_examples=60)
@given(finite_maps)
def test_statistics_agree_with_numpy(array: np.ndarray[Any, Any]) -> None:
    statistics = features.channel_statistics(torch.from_numpy(array))
    flat = array.reshape(len(array), -1).astype(np.float64)
    np.testing.assert_allclose(statistics.mean, flat.mean(1), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(statistics.std, flat.std(1), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(statistics.zeros, (flat == 0).mean(1), rtol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_only_where_the_last_weights_make_maps_are_channels_classes(name: str) -> None:
    spec = catalog.NETWORKS[name]
    options = thin(name, "small")
    found = trace_of(spec, options, spec.default_image_size(options))
    layers = features.class_maps(found, options.num_classes)
    if name == "nin":
        assert layers[-1] == "global_pool"
        assert "block4" in layers
        assert not any(layer.startswith("block3") for layer in layers)
    else:
        assert layers == ()
