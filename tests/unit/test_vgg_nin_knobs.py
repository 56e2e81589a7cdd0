"""Windows and depths of VGG, windows and heads of NiN, counted by hand."""

from typing import Any, get_args

import pytest
import torch
from torch import nn

from cnnlab import catalog, diagrams, features
from cnnlab.networks.vgg import VGGOptions
from cnnlab.runs.phrases import phrase
from cnnlab.summary import summarize
from cnnlab.trace import trace
from cnnlab.training import RunConfig
from tests.unit.knobs import thin
from tests.unit.mermaid import drawn, network

# VGG's channels from block to block in the book's width, multiplied: 1×16, 16×32 and so on.
PAIRS = 16 + 512 + 2048 + 8192 + 16384
SQUARES = 256 + 1024 + 4096 + 16384 + 16384
CHANNELS = 16 + 32 + 64 + 128 + 128


def build(name: str, preset: str = "d2l", **knobs: Any) -> nn.Module:
    spec = catalog.network(name)
    options = spec.preset(preset).replace(**knobs)
    return spec.build(options, device="meta", image_size=spec.preset_image_size(preset))


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def convolutions(model: nn.Module) -> list[nn.Conv2d]:
    return [m for m in model.modules() if isinstance(m, nn.Conv2d)]


@pytest.mark.parametrize("depth", get_args(VGGOptions.model_fields["depth"].annotation))
def test_the_depth_of_vgg_counts_its_layers_with_weights(depth: int) -> None:
    model = build("vgg", depth=depth)
    assert len(convolutions(model)) + 3 == depth
    per_block = [len(convolutions(model.get_submodule(f"block{i}"))) for i in range(1, 6)]
    if depth in (8, 13, 18):
        assert per_block == [(depth - 3) // 5] * 5
    # Equal width: what a block hands on does not depend on the depth.
    table = summarize(model, (1, 1, 224, 224)).layers
    pools = [layer.output_shape[1:] for layer in table if layer.kind == "MaxPool2d"]
    assert pools == [(16, 112, 112), (32, 56, 56), (64, 28, 28), (128, 14, 14), (128, 7, 7)]


@pytest.mark.parametrize(
    ("depth", "kernel_size", "weights", "biases"),
    [
        (8, 5, 25 * PAIRS, CHANNELS),
        (13, 3, 9 * (PAIRS + SQUARES), 2 * CHANNELS),
        (8, 7, 49 * PAIRS, CHANNELS),
        (18, 3, 9 * (PAIRS + 2 * SQUARES), 3 * CHANNELS),
    ],
)
def test_what_the_convolutions_of_vgg_hold(
    depth: int, kernel_size: int, weights: int, biases: int
) -> None:
    layers = convolutions(build("vgg", depth=depth, kernel_size=kernel_size))
    assert sum(count(layer) for layer in layers) == weights + biases


def test_two_3x3_are_cheaper_than_one_5x5_only_where_the_channels_stay() -> None:
    small, wide = build("vgg", depth=13), build("vgg", depth=8, kernel_size=5)
    weights = [
        [
            sum(layer.weight.numel() for layer in convolutions(model.get_submodule(block)))
            for model in (small, wide)
        ]
        for block in ("block2", "block5")
    ]
    # 9 (16×32 + 32×32) against 25 (16×32), and 18 against 25 times 128×128.
    assert weights == [[13_824, 12_800], [294_912, 409_600]]


@pytest.mark.parametrize(
    ("stack", "one", "fields"),
    [
        ({"depth": 13}, {"depth": 8, "kernel_size": 5}, [6, 16, 36, 76, 156]),
        ({"depth": 18}, {"depth": 8, "kernel_size": 7}, [8, 22, 50, 106, 218]),
    ],
)
def test_two_or_three_3x3_see_as_far_as_one_wider_window(
    stack: dict[str, Any], one: dict[str, Any], fields: list[int]
) -> None:
    for knobs in (stack, one):
        table = summarize(build("vgg", **knobs), (1, 1, 224, 224)).layers
        assert [x.receptive_field for x in table if x.kind == "MaxPool2d"] == fields


def test_layers_of_vgg_are_named_by_block_and_place() -> None:
    block = build("vgg", depth=18, kernel_size=5, batch_norm=True).get_submodule("block2")
    names = [name for name, _ in block.named_children()]
    assert names == [f"{kind}{i}" for i in (1, 2, 3) for kind in ("conv", "norm", "act")] + ["pool"]


def test_diagrams_of_vgg_follow_its_window() -> None:
    knobs: dict[str, Any] = {"depth": 8, "kernel_size": 5}
    assert network("vgg", **knobs).has("5×5 convolution, 16 channels")
    assert not network("vgg", **knobs).has("3×3")
    whole, block = diagrams.figures("vgg", {"vgg": drawn("vgg", **knobs)})
    assert "VGG-8" in whole.title
    assert block.caption.startswith("A 5×5 convolution with padding")
    (_, block) = diagrams.figures("vgg", {"vgg": drawn("vgg")})
    assert block.caption.startswith("A 3×3 convolution with padding")


def test_what_3x3_in_place_of_1x1_add_to_nin() -> None:
    more = count(build("nin", pointwise_kernel_size=3)) - count(build("nin"))
    # Two in each block, eight weights more for each pair of channels.
    assert more == 2 * 8 * (96**2 + 256**2 + 384**2 + 10**2)
    assert count(build("nin", pointwise=0, pointwise_kernel_size=3)) == count(
        build("nin", pointwise=0)
    )


def test_3x3_in_place_of_1x1_keep_the_size_and_see_further() -> None:
    tables = [
        summarize(build("nin", pointwise_kernel_size=side), (1, 1, 224, 224)).layers
        for side in (1, 3)
    ]
    assert [x.output_shape for x in tables[0]] == [x.output_shape for x in tables[1]]
    assert [x.name for x in tables[0]] == [x.name for x in tables[1]]
    fields = [{x.name: x.receptive_field for x in table} for table in tables]
    # The stem steps by four pixels: each 3×3 sees two steps more.
    assert (fields[0]["block1.conv3"], fields[1]["block1.conv3"]) == (11, 11 + 2 * 2 * 4)


@pytest.mark.parametrize(("size", "side"), [(224, 5), (96, 1), (160, 3)])
def test_the_fully_connected_head_of_nin_reads_every_pixel_of_the_class_maps(
    size: int, side: int
) -> None:
    spec = catalog.network("nin")
    heads = {
        head: spec.build(spec.preset("d2l").replace(head=head), device="meta", image_size=size)
        for head in ("average", "fully_connected")
    }
    assert count(heads["average"]) == 1_992_166
    assert count(heads["fully_connected"]) == 1_992_166 + 10 * side**2 * 10 + 10
    names = {head: [name for name, _ in m.named_children()] for head, m in heads.items()}
    assert names["average"][-3:] == ["block4", "global_pool", "flatten"]
    assert names["fully_connected"][-3:] == ["block4", "flatten", "fc"]
    found = {head: trace(model, (1, 1, size, size)) for head, model in heads.items()}
    # With weights after them, the maps are no classes any more.
    assert features.class_maps(found["average"], 10)
    assert not features.class_maps(found["fully_connected"], 10)


def test_the_last_activation_bounds_the_logits_of_nin_only_where_nothing_follows() -> None:
    options = thin("nin", "small").replace(head="fully_connected", final_activation=True)
    torch.manual_seed(0)
    model = catalog.network("nin").build(options, image_size=64).eval()
    assert model(torch.rand(8, 1, 64, 64)).min() < 0


@pytest.mark.parametrize(
    ("knobs", "says"),
    [
        ({}, "read its channels and nothing beside it"),
        ({"pointwise_kernel_size": 3}, "3×3 convolutions stand in place of the 1×1"),
        ({"pointwise": 0}, "Without 1×1 convolutions the block is one convolution"),
    ],
)
def test_the_caption_of_the_nin_block_is_about_what_is_in_it(
    knobs: dict[str, Any], says: str
) -> None:
    (_, block) = diagrams.figures("nin", {"nin": drawn("nin", **knobs)})
    assert says in block.caption


def test_the_diagram_of_nin_ends_in_its_head() -> None:
    assert network("nin").has("Global average pooling")
    parsed = network("nin", head="fully_connected")
    assert not parsed.has("Global average pooling")
    assert parsed.labels_of("fully_connected") == ["Fully connected, 10 units"]
    assert "10×5×5 = 250" in parsed.labels_of("shape")


@pytest.mark.parametrize(
    ("network_name", "name", "value", "said"),
    [
        ("vgg", "depth", 8, "depth 8"),
        ("vgg", "kernel_size", 5, "kernel size 5"),
        ("nin", "pointwise_kernel_size", 3, "inner 3×3"),
        ("nin", "head", "fully_connected", "fully connected head"),
    ],
)
def test_runs_are_told_apart_in_words(
    network_name: str, name: str, value: object, said: str
) -> None:
    config = RunConfig(network=network_name, options={name: value}, image_size=96, epochs=1)
    assert phrase(config, name) == said
