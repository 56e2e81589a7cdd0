"""DenseNet that adds instead of concatenating, and DenseNet without transitions."""

from typing import Any

import pytest
import torch

from cnnlab import diagrams
from cnnlab.networks.densenet import DenseBlock, DenseNetOptions
from cnnlab.summary import Summary, layers
from tests.unit.mermaid import block, drawn, network, parse


def table(**knobs: Any) -> Summary:
    """The layers of the small network: three blocks of two, 16 channels, growth rate 8."""
    return layers(drawn("densenet", "small", **knobs))


def bn_conv(channels: int, made: int, kernel: int) -> int:
    """Parameters of a batch norm and the convolution with bias that follows it."""
    return 2 * channels + (channels * kernel**2 + 1) * made


def test_addition_keeps_the_channels_and_every_layer_reads_the_sum_so_far() -> None:
    layer_block = DenseBlock(DenseNetOptions(join="add"), layers=3, in_channels=4).eval()
    x = torch.rand(2, 4, 6, 6)
    total = x
    for i in (1, 2, 3):
        total = total + layer_block.get_submodule(f"layer{i}")(total)
    torch.testing.assert_close(layer_block(x), total)
    assert layer_block.out_channels == 4


@pytest.mark.parametrize(("join", "made"), [("concatenate", 4 + 3 * 5), ("add", 4)])
def test_a_block_says_how_many_channels_it_makes(join: str, made: int) -> None:
    layer_block = DenseBlock(DenseNetOptions(join=join, growth_rate=5), layers=3, in_channels=4)
    assert layer_block.out_channels == layer_block(torch.rand(2, 4, 6, 6)).shape[1] == made


def test_parameters_counted_in_another_way() -> None:
    stem = (9 * 1 + 1) * 16
    concatenated = stem + sum(
        [
            bn_conv(16, 8, 3) + bn_conv(24, 8, 3) + bn_conv(32, 16, 1),
            bn_conv(16, 8, 3) + bn_conv(24, 8, 3) + bn_conv(32, 16, 1),
            bn_conv(16, 8, 3) + bn_conv(24, 8, 3),
            2 * 32 + 33 * 10,
        ]
    )
    assert table().params == concatenated
    added = stem + sum(
        [
            2 * bn_conv(16, 16, 3) + bn_conv(16, 8, 1),
            2 * bn_conv(8, 8, 3) + bn_conv(8, 4, 1),
            2 * bn_conv(4, 4, 3),
            2 * 4 + 5 * 10,
        ]
    )
    assert table(join="add").params == added
    # One block of six layers: the channels grow all the way.
    without = stem + sum(bn_conv(16 + 8 * i, 8, 3) for i in range(6)) + 2 * 64 + 65 * 10
    assert table(transitions=False).params == without
    assert table(transitions=False, join="add").params == (
        stem + 6 * bn_conv(16, 16, 3) + 2 * 16 + 17 * 10
    )


def test_the_growth_rate_of_sums_is_only_that_of_the_bottleneck() -> None:
    assert table(join="add", growth_rate=4).params == table(join="add").params
    narrow, wide = (table(join="add", growth_rate=r, bottleneck=True).params for r in (4, 8))
    assert narrow < wide


def test_without_transitions_the_size_stays_and_costs_multiply() -> None:
    found = table(transitions=False).layers
    assert not [layer.name for layer in found if "transition" in layer.name]
    size = found[0].input_shape[2]
    assert {x.output_shape[2:] for x in found if x.kind == "Conv2d"} == {(size, size)}
    # Where the channels stay, a block differs in nothing but its pixels.
    with_, without = (
        table(join="add", compression=1, transitions=on).layers for on in (True, False)
    )
    for name, times in (("dense1", 1), ("dense2", 4), ("dense3", 16)):
        before, after = (
            sum(x.macs for x in part if x.name.startswith(name)) for part in (with_, without)
        )
        assert after == times * before


def test_diagrams_say_what_is_joined_how() -> None:
    summed = block("densenet", "small", join="add")
    assert summed.labels_of("meeting") == ["Addition"]
    assert summed.labels_of("block") == ["Layer 1 reads 16 makes 16", "Layer 2 reads 16 makes 16"]
    assert block("densenet", "densenet121", join="add").has("Layers 4 to 6 read 64 make 64 each")
    assert network("densenet", "small", join="add").has("16 channels added by each")
    assert network("densenet", "small").has("8 new channels each")
    captions = {
        join: diagrams.figures("densenet", {"densenet": drawn("densenet", join=join)})[1].caption
        for join in ("concatenate", "add")
    }
    assert "concatenated" in captions["concatenate"]
    assert "concatenated" not in captions["add"]
    assert "sum" in captions["add"]


def test_the_network_without_transitions_is_drawn_without() -> None:
    (whole, _) = diagrams.figures("densenet", {"densenet": drawn("densenet", transitions=False)})
    parsed = parse(whole.source)
    assert not parsed.has("Transition")
    assert len([x for x in parsed.labels_of("block") if x.startswith("Dense block")]) == 4
