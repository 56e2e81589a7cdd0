"""VGG's and DenseNet's blocks as a list of one's own, counted in another way."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cnnlab import catalog, diagrams
from cnnlab.configuration import Configuration, from_text
from cnnlab.errors import ConfigError
from cnnlab.networks.vgg import CONVOLUTIONS, VGGOptions
from cnnlab.runs.phrases import phrase
from cnnlab.training import RunConfig
from cnnlab.validated import counted
from tests.unit.mermaid import drawn


def build(name: str, preset: str = "d2l", image_size: int = 224, **knobs: Any) -> nn.Module:
    spec = catalog.network(name)
    options = spec.preset(preset).replace(**knobs)
    return spec.build(options, device="meta", image_size=image_size)


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def text(numbers: list[int]) -> str:
    return "-".join(map(str, numbers))


def of_vgg(numbers: list[int], width: int, hidden: int, side: int) -> int:
    """Parameters of a VGG of grey pictures and ten classes, from its numbers alone."""
    channels = [width * min(1 << i, 8) for i in range(len(numbers))]
    found = 0
    for convolutions, (read, made) in zip(numbers, pairwise([1, *channels]), strict=True):
        found += 9 * read * made + (convolutions - 1) * 9 * made * made + convolutions * made
    pixels = (side >> len(numbers)) ** 2
    sizes = [channels[-1] * pixels, hidden, hidden, 10]
    return found + sum((read + 1) * made for read, made in pairwise(sizes))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=7))
@settings(max_examples=25, deadline=None)
def test_parameters_of_a_vgg_with_any_blocks(numbers: list[int]) -> None:
    model = build("vgg", blocks=text(numbers), base_channels=4, hidden=16, image_size=130)
    assert count(model) == of_vgg(numbers, 4, 16, 130)
    assert [name for name, _ in model.named_children() if name.startswith("block")] == [
        f"block{i}" for i in range(1, len(numbers) + 1)
    ]


def of_densenet(numbers: list[int]) -> int:
    """Parameters of the small DenseNet (16 channels, growth rate 8), from its numbers alone."""
    channels, found = 16, 10 * 16
    for block, layers in enumerate(numbers):
        for _ in range(layers):
            found += 2 * channels + 8 * (9 * channels + 1)
            channels += 8
        if block + 1 < len(numbers):
            found += 2 * channels + (channels // 2) * (channels + 1)
            channels //= 2
    return found + 2 * channels + 10 * (channels + 1)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_parameters_of_a_densenet_with_any_blocks(numbers: list[int]) -> None:
    model = build("densenet", "small", layers=text(numbers), image_size=64)
    assert count(model) == of_densenet(numbers)


@pytest.mark.parametrize(("depth", "numbers"), CONVOLUTIONS.items())
def test_the_list_of_a_depth_makes_the_network_of_that_depth(
    depth: int, numbers: tuple[int, ...]
) -> None:
    named, listed = build("vgg", depth=depth), build("vgg", blocks=text([*numbers]))
    shapes = [{n: p.shape for n, p in model.named_parameters()} for model in (named, listed)]
    assert shapes[0] == shapes[1]
    assert VGGOptions(depth=depth).convolutions == numbers


@pytest.mark.parametrize(
    ("layers", "depth"),
    [("6-12-24-16", 121), ("6-12-32-32", 169), ("6-12-48-32", 201), ("6-12-64-48", 265)],
)
def test_the_networks_of_the_densenet_paper_can_be_listed(layers: str, depth: int) -> None:
    # Table 1 of Huang et al. 2016, who call the last one DenseNet-264.
    model = build("densenet", "densenet121", layers=layers)
    weighted = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(weighted) == depth


def test_a_depth_that_is_chosen_is_not_overruled_by_an_older_list() -> None:
    listed = Configuration("vgg", "d2l").with_changes(blocks="1-1")
    assert listed.options.convolutions == (1, 1)  # type: ignore[attr-defined]
    deeper = listed.with_changes(depth=16)
    assert deeper.changed == {"depth": 16}
    assert deeper.with_changes(blocks="2-2").changed == {"depth": 16, "blocks": "2-2"}
    # Both at once, as a link has them: the list is meant.
    both = listed.with_changes(depth=16, blocks="3-3")
    assert both.options.convolutions == (3, 3)  # type: ignore[attr-defined]
    # Other knobs leave it alone.
    assert listed.with_changes(hidden=64).values["blocks"] == "1-1"


def test_one_block_alone_is_a_list_too() -> None:
    assert from_text(catalog.network("vgg"), "blocks", "3") == "3"
    assert from_text(catalog.network("densenet"), "layers", "12") == "12"


@pytest.mark.parametrize(
    ("name", "field", "wrong", "said"),
    [
        ("vgg", "blocks", "1-9", "1 to 7 numbers from 1 to 6"),
        ("vgg", "blocks", "6-6-6-6-6-6", "together 30 at most; or nothing, where depth decides"),
        ("densenet", "layers", "4-4-4-4-4-4", "1 to 5 numbers from 1 to 64"),
        ("densenet", "layers", "64-64-3", "together 130 at most"),
        ("densenet", "layers", "", "such as 1-1-2"),
    ],
)
def test_a_list_that_cannot_be_says_which_can(name: str, field: str, wrong: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"^{field}: '{wrong}' was given; input should be") as one:
        catalog.network(name).preset("d2l").replace(**{field: wrong})
    assert said in str(one.value)
    with pytest.raises(ConfigError, match="was given; "):
        Configuration(name, "d2l", {field: wrong})


def test_too_many_blocks_for_a_picture_are_named() -> None:
    with pytest.raises(ConfigError, match=r"block6\.pool gets 1×1.*smallest size that works is 64"):
        build("vgg", blocks="1-1-1-1-1-1", image_size=48)


def test_a_network_of_ones_own_blocks_is_called_by_them() -> None:
    whole, *_ = diagrams.figures("vgg", {"vgg": drawn("vgg", blocks="1-2-3")})
    assert whole.title == "VGG 1-2-3 from input to output"
    run = RunConfig(network="vgg", options=VGGOptions(blocks="1-2-3"))
    assert phrase(run, "blocks") == "blocks 1-2-3"
    assert phrase(RunConfig(network="vgg"), "blocks") == "blocks by depth"


@pytest.mark.parametrize("name", catalog.NETWORKS)
def test_what_decides_in_place_of_a_list_is_there(name: str) -> None:
    options = catalog.NETWORKS[name].presets["d2l"]
    for field, info in type(options).model_fields.items():
        if allowed := counted(info):
            assert all(n >= 1 for n in allowed.numbers(options, field))
            assert not allowed.instead_of or allowed.instead_of in type(options).model_fields
