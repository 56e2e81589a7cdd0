"""Which pictures fit a network, and what their size decides."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from cnnlab import catalog, features
from cnnlab.errors import ConfigError
from cnnlab.network_spec import LARGEST_IMAGE, SMALLEST_IMAGE
from cnnlab.networks.googlenet import GoogLeNet
from cnnlab.summary import summarize
from cnnlab.trace import trace_of
from tests.unit.knobs import (
    PRESETS,
    THIN,
    random_options,
    thin,
)

NETWORKS = list(catalog.NETWORKS)


# Presets that differ from one of the same network only by more of the same blocks.
DEEPER = ("densenet121", "resnet34", "resnet50", "vgg13", "vgg16", "vgg19")


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_the_size_of_the_picture_is_no_knob_and_every_preset_is_meant_for_one(
    name: str, preset: str
) -> None:
    spec = catalog.NETWORKS[name]
    assert "image_size" not in spec.options.model_fields
    size = spec.preset_image_size(preset)
    spec.check_image_size(spec.presets[preset], size)
    assert SMALLEST_IMAGE <= size <= LARGEST_IMAGE
    # Whatever the data are, the knobs say for which size they are meant.
    fitted = spec.presets[preset].replace(in_channels=2, num_classes=7)
    assert spec.default_image_size(fitted) == size
    assert catalog.build(name, preset, image_size=96, **THIN[name]).image_size == 96


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("name", ["lenet", "alexnet", "vgg"])
def test_the_first_affine_layer_is_as_wide_as_the_size_asks_for(name: str, device: str) -> None:
    spec = catalog.NETWORKS[name]
    options = thin(name, "d2l")
    widths = []
    for size in (96, 160):
        model = spec.build(options, device=device, image_size=size)
        linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
        assert {type(module) for module in linear} == {nn.Linear}, "nothing lazy is left"
        assert not any(is_lazy(tensor) for tensor in model.state_dict().values())
        assert all(module.training for module in model.modules())
        assert {tensor.device.type for tensor in model.state_dict().values()} == {device}
        assert not any(module._forward_pre_hooks for module in model.modules())
        side = math.isqrt(linear[0].in_features // last_channels(model))
        assert linear[0].in_features == last_channels(model) * side**2
        assert model.eval()(torch.rand(1, 1, size, size).to(device)).shape == (1, 3)
        widths.append(side)
    assert widths[0] < widths[1]


def last_channels(model: nn.Module) -> int:
    return [m.out_channels for m in model.modules() if isinstance(m, nn.Conv2d)][-1]


@pytest.mark.parametrize(("name", "preset"), [p for p in PRESETS if p[1] not in DEEPER])
def test_the_smallest_picture_works_and_one_pixel_less_does_not(name: str, preset: str) -> None:
    spec = catalog.NETWORKS[name]
    options = thin(name, preset)
    smallest = spec.smallest_image_size(options)
    spec.check_image_size(options, smallest)
    model = spec.build(options, image_size=smallest)
    x = torch.rand(1, options.in_channels, smallest, smallest)
    assert summarize(model, x.shape).layers[-1].output_shape == (1, 3)
    assert features.extract(model, x)
    sentence = rf"too small .*smallest size that works is {smallest}×{smallest}\b"
    with pytest.raises(ConfigError, match=sentence):
        spec.check_image_size(options, smallest - 1)
    if smallest == 1:
        return
    x = x[:, :, 1:, 1:]
    for enter in (lambda: summarize(model, x.shape), lambda: features.extract(model, x)):
        with pytest.raises(ConfigError, match=sentence):
            enter()
    with pytest.raises(ConfigError, match=sentence):
        spec.build(options, image_size=smallest - 1)
    # PyTorch itself agrees.
    with pytest.raises(RuntimeError):
        model.eval()(x)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_width_of_a_network_does_not_change_the_smallest_picture(name: str) -> None:
    spec = catalog.NETWORKS[name]
    full = spec.presets["d2l"]
    assert spec.smallest_image_size(full) == spec.smallest_image_size(thin(name, "d2l"))


@pytest.mark.parametrize("name", ["lenet", "alexnet", "vgg"])
@settings(deadline=None, max_examples=10)
@given(data=st.data())
def test_the_size_formula_agrees_with_the_network(name: str, data: Any) -> None:
    """Two ways to the smallest size: a formula, and trying it out."""
    spec = catalog.NETWORKS[name]
    options = data.draw(random_options(name))
    model = spec.build(options, device="meta", image_size=LARGEST_IMAGE)
    by_formula = next(n for n in range(1, LARGEST_IMAGE + 1) if output_size(model, n) > 0)
    assert spec.smallest_image_size(options) == by_formula


def output_size(model: nn.Module, size: int) -> int:
    """Side of the last map: windows of k pixels make floor((n + 2p - k) / s) + 1 of n."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            kernel, stride, padding = (
                side if isinstance(side, int) else int(side[0])
                for side in (layer.kernel_size, layer.stride, layer.padding)
            )
            size = max(0, (size + 2 * padding - kernel) // stride + 1)
            if size == 0:
                return 0
    return size


@pytest.mark.parametrize(
    ("name", "knobs", "size", "end"),
    [
        ("nin", {}, 48, "pool3 gets 1×1 pixels of it, and needs at least 3×3"),
        ("nin", {}, 66, "pool3 gets 2×2 pixels of it, and needs at least 3×3"),
        ("vgg", {"depth": 8, "kernel_size": 7}, 31, "block5.pool gets 1×1 .* at least 2×2"),
        ("lenet", {"padding": 0}, 13, "conv2 gets 4×4 pixels of it, and needs at least 5×5"),
        # What the padding adds is not asked for.
        ("alexnet", {}, 8, "block1.conv gets 8×8 pixels of it, and needs at least 9×9"),
        ("lenet", {}, 0, "conv1 gets 0×0 pixels of it, and needs at least 1×1"),
        ("lenet", {}, -1, "nothing is left of it before the last layer"),
    ],
)
def test_the_layer_is_named_at_which_a_picture_ends(
    name: str, knobs: dict[str, Any], size: int, end: str
) -> None:
    spec = catalog.NETWORKS[name]
    options = spec.preset("d2l").replace(**knobs)
    with pytest.raises(ConfigError, match=end):
        spec.check_image_size(options, size)


@pytest.mark.parametrize("size", [0, -1])
def test_nothing_is_too_small_for_every_network(size: int) -> None:
    for name, spec in catalog.NETWORKS.items():
        with pytest.raises(ConfigError, match="too small"):
            spec.check_image_size(thin(name, "small"), size)
        with pytest.raises(ConfigError, match="too small"):
            catalog.build(name, "small", image_size=size)


@pytest.mark.parametrize("size", ["32", 32.0, True])
def test_a_size_that_is_no_whole_number(size: Any) -> None:
    with pytest.raises(ConfigError, match=f"^image_size: {size!r} was given; .* whole number"):
        catalog.build("resnet", "small", image_size=size)


@pytest.mark.parametrize("name", ["lenet", "alexnet", "vgg"])
def test_a_picture_too_large_for_the_first_affine_layer_is_not_called_too_small(name: str) -> None:
    spec = catalog.NETWORKS[name]
    options = thin(name, "d2l")
    for enter in (
        lambda: spec.check_image_size(options, 257),
        lambda: spec.build(options, image_size=257),
        lambda: summarize(spec.build(options, device="meta"), (1, 1, 257, 257)),
    ):
        with pytest.raises(ConfigError, match=r"too large .* largest size is 256×256"):
            enter()


@pytest.mark.parametrize("name", catalog.NETWORKS)
def test_what_is_known_of_one_size_is_right_for_others(name: str) -> None:
    """Sizes are asked for in no order; what was found before must not change the answers."""
    spec = catalog.NETWORKS[name]
    options = spec.preset("small")
    smallest = spec.smallest_image_size(options)
    for size in (smallest + 40, smallest - 1, smallest, 1, smallest + 1):
        if size >= smallest:
            spec.check_image_size(options, size)
        else:
            with pytest.raises(ConfigError, match=f"smallest size that works is {smallest}×"):
                spec.check_image_size(options, size)


def test_the_trace_is_the_first_pass_and_says_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = catalog.NETWORKS["googlenet"]
    options = spec.presets["small"].replace(num_classes=7)
    forward: Callable[..., Any] = GoogLeNet.forward
    passes: list[tuple[int, ...]] = []

    def counted(self: GoogLeNet, x: Tensor) -> Any:
        passes.append(tuple(x.shape))
        return forward(self, x)

    monkeypatch.setattr(GoogLeNet, "forward", counted)
    trace_of(spec, options, 64)
    assert passes == [(1, options.in_channels, 64, 64)]
    # A run with these knobs need not try it again.
    spec.check_image_size(options, 64)
    assert len(passes) == 1
    alexnet = catalog.NETWORKS["alexnet"]
    with pytest.raises(ConfigError, match="The smallest size that works is"):
        trace_of(alexnet, alexnet.presets["d2l"], 8)
