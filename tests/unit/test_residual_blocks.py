"""The two orders in a residual block, and the skips that have no weights."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, relu

from cnnlab import catalog, diagrams
from cnnlab.networks.residual import (
    PreActivation,
    PreActivationBottleneck,
    Residual,
    ResidualOptions,
    ZeroPadded,
)
from cnnlab.trace import trace
from tests.unit.mermaid import block, drawn, network, parse

PRE = ResidualOptions(order="pre-activation")
ZEROS = ResidualOptions(shortcut="zero-padded")


def parameters(preset: str, **knobs: Any) -> int:
    spec = catalog.NETWORKS["resnet"]
    model = spec.build(spec.presets[preset].replace(**knobs), device="meta")
    return sum(p.numel() for p in model.parameters())


def randomized(layer: nn.Module) -> nn.Module:
    """With statistics and scales that are not those of a fresh layer."""
    for module in layer.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                assert tensor is not None
                nn.init.uniform_(tensor, 0.5, 1.5)
    return layer.eval()


def normalized(x: Tensor, norm: Any) -> Tensor:
    per_channel = [
        t[:, None, None] for t in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    ]
    mean, variance, scale, shift = per_channel
    made: Tensor = (x - mean) / (variance + norm.eps).sqrt() * scale + shift
    return made


# Each stage's first block normalizes what it is given, with its channels, where the convolution
# before the other order's norm made `width`; at the end there is one norm more.
def test_parameters_of_the_other_order() -> None:
    d2l = parameters("d2l")
    fewer = 2 * sum(wide - narrow for narrow, wide in pairwise((64, 128, 256, 512)))
    assert parameters("d2l", order="pre-activation") == d2l - fewer + 2 * 512 == 11_178_506
    # Bottlenecks: their third norm is as narrow as their second, their first reads wide input.
    inputs, widths = (64, 256, 512, 1024), (64, 128, 256, 512)
    fewer = 2 * sum(4 * width - given for given, width in zip(inputs, widths, strict=True))
    resnet50 = parameters("resnet50")
    pre = parameters("resnet50", order="pre-activation")
    assert pre == resnet50 - fewer + 2 * 2048 == 25_557_160


def test_skips_without_weights_save_the_1x1_convolutions() -> None:
    saved = sum(narrow * wide + wide for narrow, wide in pairwise((64, 128, 256, 512)))
    assert parameters("d2l", shortcut="zero-padded") == parameters("d2l") - saved == 11_005_450
    # Four of ResNet-50, without bias, each with a norm of its own.
    pairs = ((64, 256), (256, 512), (512, 1024), (1024, 2048))
    saved = sum(narrow * wide + 2 * wide for narrow, wide in pairs)
    assert parameters("resnet50", shortcut="zero-padded") == parameters("resnet50") - saved


def test_pre_activation_is_norm_activation_convolution_twice_and_then_the_sum() -> None:
    torch.manual_seed(0)
    layer: Any = randomized(PreActivation(PRE, 3, 5, stride=2))
    x = torch.randn(2, 3, 9, 9)
    y = relu(normalized(x, layer.norm1))
    y = conv2d(y, layer.conv1.weight, layer.conv1.bias, stride=2, padding=1)
    y = relu(normalized(y, layer.norm2))
    y = conv2d(y, layer.conv2.weight, layer.conv2.bias, padding=1)
    skip = conv2d(x, layer.shortcut.weight, layer.shortcut.bias, stride=2)
    torch.testing.assert_close(layer(x), y + skip)
    assert layer(x).min() < 0, "nothing follows the sum"


@pytest.mark.parametrize("depth", [10, 50])
@pytest.mark.parametrize("order", ["post-activation", "pre-activation"])
def test_layers_are_named_in_the_order_in_which_they_run(order: str, depth: int) -> None:
    found = drawn("resnet", "small", order=order, depth=depth)
    ran = [node.path for node in found.nodes if node.is_module]
    named = [name for name, _ in found.outline.named_modules()]
    assert ran == [name for name in named if name in ran]
    first = [path.split(".")[-1] for path in ran if path.startswith("stage2.block1.")]
    start = ["conv1", "norm1", "act1"] if order == "post-activation" else ["norm1", "act1", "conv1"]
    assert first[:3] == start


def test_before_the_average_the_last_sum_is_normalized_and_activated() -> None:
    names = [name for name, _ in drawn("resnet", order="pre-activation").outline.named_children()]
    assert names[-5:] == ["norm", "act", "global_pool", "flatten", "fc"]
    names = [name for name, _ in drawn("resnet").outline.named_children()]
    assert names[-4:] == ["stage4", "global_pool", "flatten", "fc"]


@pytest.mark.parametrize("kind", [PreActivation, PreActivationBottleneck])
def test_with_pre_activation_the_input_goes_through_unchanged(kind: Any) -> None:
    """Also what is negative, which the activation after the older order's sum cuts off."""
    channels = 4 * kind.expansion
    layer, older = kind(PRE, channels, 4, stride=1), Residual(PRE, channels, channels, stride=1)
    for last in (layer.get_submodule("conv3" if kind.expansion > 1 else "conv2"), older.conv2):
        for weight in last.parameters():
            nn.init.zeros_(weight)
    x = torch.randn(2, channels, 6, 6)
    assert torch.equal(layer.eval()(x), x)
    torch.testing.assert_close(older.eval()(x), relu(x))


@pytest.mark.parametrize("side", [1, 2, 7, 8])
def test_zero_padding_takes_every_second_pixel_and_adds_nothing_to_new_channels(side: int) -> None:
    x = torch.rand(2, 3, side, side)
    y = ZeroPadded(new_channels=4, stride=2)(x)
    assert y.shape == (2, 7, -(-side // 2), -(-side // 2))
    for row in range(y.shape[2]):
        for column in range(y.shape[3]):
            assert torch.equal(y[:, :3, row, column], x[:, :, 2 * row, 2 * column])
    assert not y[:, 3:].any()


@pytest.mark.parametrize("depth", [18, 50])
@pytest.mark.parametrize("size", [32, 33, 47])
def test_it_fits_what_the_convolutions_make_of_any_size(depth: int, size: int) -> None:
    found = drawn("resnet", "small", depth=depth, shortcut="zero-padded")
    assert trace(found.outline, (1, 1, size, size)).nodes[-1].output_shape == (1, 10)


def test_zero_padding_has_a_row_of_its_own_without_weights() -> None:
    nodes = [
        node
        for node in drawn("resnet", shortcut="zero-padded").nodes
        if node.operation == "ZeroPadded"
    ]
    assert [node.path for node in nodes] == [f"stage{i}.block1.shortcut" for i in (2, 3, 4)]
    assert not any(node.params or node.macs for node in nodes)


def test_diagrams_name_the_order_and_the_skip() -> None:
    pre = network("resnet", order="pre-activation")
    assert pre.labels_of("block")[0] == "Pre-activation block × 2 64 channels"
    assert pre.labels_of("normalization") == ["Batch normalization, ReLU"]
    zeros = network("resnet", shortcut="zero-padded").labels_of("block")
    assert zeros[1] == "Residual block 128 channels, stride 2 zero-padded skip"
    assert block("resnet", shortcut="zero-padded").has("Every second pixel, zeros for 64 channels")
    assert block("resnet", "resnet50", shortcut="zero-padded").has("Zeros for 192 channels")
    arms: dict[str, dict[str, Any]] = {
        "book": {},
        "pre": {"order": "pre-activation"},
        "zeros": {"shortcut": "zero-padded"},
        "neither": {"order": "pre-activation", "skip": False},
    }
    captions = {
        arm: diagrams.figures("resnet", {"resnet": drawn("resnet", **knobs)})[1].caption
        for arm, knobs in arms.items()
    }
    assert "1×1" in captions["book"]
    assert "1×1" not in captions["zeros"]
    assert "every second pixel" in captions["zeros"]
    assert "before each convolution" in captions["pre"]
    assert "1×1" in captions["pre"]
    assert "before each convolution" not in captions["book"]
    assert "The skip is off" in captions["neither"]


def test_the_block_of_the_other_order_is_drawn_in_its_order() -> None:
    for figure in diagrams.figures("resnet", {"resnet": drawn("resnet", order="pre-activation")}):
        parse(figure.source)
    parsed = block("resnet", order="pre-activation")
    kinds = {(parsed.kinds[start], parsed.kinds[stop]) for start, stop in parsed.arrows}
    assert ("convolution", "meeting") in kinds
    assert ("meeting", "terminal") in kinds
    assert ("meeting", "activation") not in kinds
