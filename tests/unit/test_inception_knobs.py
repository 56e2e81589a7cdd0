"""Paths, reductions and heads of GoogLeNet, counted from the paper's table in another way."""

from itertools import pairwise
from typing import Any, get_args

import pytest
import torch
from torch import nn

from cnnlab import catalog, diagrams
from cnnlab.networks.inception import Inception, InceptionOptions
from cnnlab.runs.phrases import phrase
from cnnlab.summary import Summary, summarize
from cnnlab.training import RunConfig
from tests.unit.knobs import thin
from tests.unit.mermaid import block, drawn, network

# Szegedy et al. 2014, table 1: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool proj.
TABLE = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
CHANNELS = {name: row[0] + row[2] + row[4] + row[5] for name, row in TABLE.items()}
PATHS = get_args(InceptionOptions.model_fields["paths"].annotation)
# Three convolutions before the blocks: 7×7 of one channel, 1×1, 3×3.
STEM = (49 * 64 + 64) + (64 * 64 + 64) + (9 * 64 * 192 + 192)


def options(preset: str = "d2l", **knobs: Any) -> Any:
    return catalog.network("googlenet").preset(preset).replace(**knobs)


def build(preset: str = "d2l", size: int = 96, **knobs: Any) -> nn.Module:
    spec = catalog.network("googlenet")
    return spec.build(options(preset, **knobs), device="meta", image_size=size)


def table(preset: str = "d2l", **knobs: Any) -> Summary:
    model = build(preset, **knobs)
    return summarize(model, (1, options(preset).in_channels, 96, 96))


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def out_channels(model: nn.Module, name: str) -> int:
    block = model.get_submodule(f"inception{name}")
    assert isinstance(block, Inception)
    return block.out_channels


def conv(side: int, reads: int, makes: int) -> int:
    return side**2 * reads * makes + makes


def counted(left_out: str = "", reductions: bool = True) -> int:
    """Parameters of the book's network without one of the paths or without reductions."""
    total, reads = STEM, 192
    for one, three_in, three, five_in, five, pool in TABLE.values():
        makes = 0
        if left_out != "1x1":
            total, makes = total + conv(1, reads, one), makes + one
        for name, side, narrow, wide in (("3x3", 3, three_in, three), ("5x5", 5, five_in, five)):
            if left_out == name:
                continue
            if reductions:
                total += conv(1, reads, narrow) + conv(side, narrow, wide)
            else:
                total += conv(side, reads, wide)
            makes += wide
        if left_out != "pooling":
            total += conv(1, reads, pool) if reductions else 0
            makes += pool if reductions else reads
        reads = makes
    return total + reads * 10 + 10


@pytest.mark.parametrize("left_out", ["", "1x1", "3x3", "5x5", "pooling"])
@pytest.mark.parametrize("reductions", [True, False])
def test_parameters_without_one_of_the_paths(left_out: str, reductions: bool) -> None:
    paths = f"without_{left_out}" if left_out else "all"
    model = build(paths=paths, reductions=reductions)
    assert count(model) == counted(left_out, reductions)


def test_the_first_block_without_reductions_by_hand() -> None:
    first = build(reductions=False).get_submodule("inception3a")
    assert count(first) == 12_352 + 221_312 + 153_632
    assert out_channels(build(reductions=False), "3a") == 64 + 128 + 32 + 192
    # With them it holds well under half of that.
    assert count(build().get_submodule("inception3a")) == 163_696


def test_without_reductions_every_pooling_adds_the_block_before() -> None:
    model = build(reductions=False)
    made = [out_channels(model, name) for name in TABLE]
    for (before, after), name in zip(pairwise([192, *made]), TABLE, strict=True):
        assert after == before + CHANNELS[name] - TABLE[name][5]
    assert made[-1] == 4944


@pytest.mark.parametrize("preset", ["d2l", "small", "torchvision"])
def test_one_path_alone_has_the_channels_and_nearly_the_cost_of_all_four(preset: str) -> None:
    four, alone = table(preset), table(preset, paths="3x3_alone")
    assert alone.params == pytest.approx(four.params, rel=0.01)
    assert alone.macs == pytest.approx(four.macs, rel=0.02)
    models = build(preset), build(preset, paths="3x3_alone")
    for name in TABLE:
        blocks = [model.get_submodule(f"inception{name}") for model in models]
        assert out_channels(models[0], name) == out_channels(models[1], name) > 0
        # Whole channels of a narrow network are coarse steps.
        assert count(blocks[1]) == pytest.approx(count(blocks[0]), rel=0.03)


@pytest.mark.parametrize("paths", PATHS)
@pytest.mark.parametrize("reductions", [True, False])
def test_what_is_left_of_a_block_keeps_its_names(paths: str, reductions: bool) -> None:
    names = {
        "all": ["path1", "path2", "path3", "path4"],
        "without_1x1": ["path2", "path3", "path4"],
        "without_3x3": ["path1", "path3", "path4"],
        "without_5x5": ["path1", "path2", "path4"],
        "without_pooling": ["path1", "path2", "path3"],
        "3x3_alone": ["path2"],
    }
    first = build(paths=paths, reductions=reductions).get_submodule("inception3a")
    assert [name for name, _ in first.named_children()] == names[paths]
    kernels = [m.kernel_size[0] for m in first.modules() if isinstance(m, nn.Conv2d)]
    reduced = [name for name in names[paths] if name != "path1"]
    assert kernels.count(1) == ("path1" in names[paths]) + reductions * len(reduced)


@pytest.mark.parametrize("paths", PATHS)
def test_a_block_concatenates_the_paths_that_it_has(paths: Any) -> None:
    for reductions in (True, False):
        knobs = InceptionOptions(paths=paths, reductions=reductions)
        layer = Inception(knobs, 5, (2, (3, 4), (1, 2), 3))
        x = torch.rand(2, 5, 7, 7)
        made = layer(x)
        assert torch.equal(made, torch.cat([path(x) for path in layer.children()], dim=1))
        assert made.shape == (2, layer.out_channels, 7, 7)


@pytest.mark.parametrize("reductions", [True, False])
@pytest.mark.parametrize("paths", PATHS)
@pytest.mark.parametrize("head", ["average", "fully_connected"])
def test_a_step_reaches_every_weight(paths: str, reductions: bool, head: str) -> None:
    knobs = {"paths": paths, "reductions": reductions, "head": head, "activation": "tanh"}
    torch.manual_seed(0)
    model = catalog.network("googlenet").build(
        thin("googlenet", "d2l").replace(**knobs), image_size=40
    )
    nn.functional.cross_entropy(model(torch.rand(3, 1, 40, 40)), torch.arange(3)).backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.any(), name


def test_the_fully_connected_head_reads_every_pixel() -> None:
    for size, side in ((96, 3), (224, 7), (40, 2)):
        model = build(size=size, head="fully_connected")
        assert count(model) == 5_977_530 + (side**2 - 1) * 1024 * 10
        names = [name for name, _ in model.named_children()]
        assert names[-3:] == ["inception5b", "flatten", "fc"]
    assert [name for name, _ in build(dropout=0.5).named_children()][-4:] == [
        "global_pool",
        "flatten",
        "drop",
        "fc",
    ]


def test_reductions_are_where_the_compute_is_saved() -> None:
    assert table(reductions=False).macs / table().macs > 8
    first = [
        sum(layer.macs for layer in table(reductions=on).layers if "3a" in layer.name)
        for on in (True, False)
    ]
    # Six products per pixel of the block's 12×12, against three.
    assert first[0] == 144 * (192 * (64 + 96 + 16 + 32) + 9 * 96 * 128 + 25 * 16 * 32)
    assert first[1] == 144 * 192 * (64 + 9 * 128 + 25 * 32)


@pytest.mark.parametrize(
    ("knobs", "label", "paths"),
    [
        ({}, "64 + 128 + 32 + 32 = 256 channels", 4),
        ({"paths": "without_5x5"}, "64 + 128 + 32 = 224 channels", 3),
        ({"reductions": False}, "64 + 128 + 32 + 192 = 416 channels", 4),
        ({"paths": "without_1x1", "reductions": False}, "128 + 32 + 192 = 352 channels", 3),
    ],
)
def test_diagrams_show_the_paths_there_are(knobs: dict[str, Any], label: str, paths: int) -> None:
    assert network("googlenet", **knobs).has(label)
    parsed = block("googlenet", **knobs)
    (meeting,) = [i for i, kind in parsed.kinds.items() if kind == "meeting"]
    assert len({start for start, stop in parsed.arrows if stop == meeting}) == paths


def test_one_path_alone_is_drawn_without_a_concatenation() -> None:
    label = network("googlenet", paths="3x3_alone").labels_of("block")[0]
    assert label.startswith("Inception block × 2 256 channels")
    parsed = block("googlenet", paths="3x3_alone")
    assert not parsed.count("meeting")
    assert parsed.count("convolution") == 2


@pytest.mark.parametrize(
    ("knobs", "says"),
    [
        ({}, "puts their channels one after another."),
        ({"paths": "3x3_alone"}, "One path alone makes as many channels as the four would."),
        ({"reductions": False}, "The pooling passes on every channel that it reads"),
    ],
)
def test_the_caption_is_about_the_block_that_is_drawn(knobs: dict[str, Any], says: str) -> None:
    (_, figure) = diagrams.figures("googlenet", {"googlenet": drawn("googlenet", **knobs)})
    assert says in figure.caption
    grows = "the blocks grow" in figure.caption
    assert grows == (knobs.get("reductions") is False)


def test_the_page_shows_where_a_block_is_written() -> None:
    section = catalog.SECTIONS["googlenet"]
    names = [path.name for path in section.source_files(catalog.network("googlenet"))]
    assert names == ["inception.py", "googlenet.py"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("paths", "without_1x1", "paths: without 1×1"),
        ("paths", "3x3_alone", "paths: 3×3 alone"),
        ("reductions", False, "no reductions"),
        ("head", "average", "average head"),
    ],
)
def test_runs_are_told_apart_in_words(name: str, value: object, said: str) -> None:
    assert phrase(RunConfig(network="googlenet", options={name: value}, epochs=1), name) == said
