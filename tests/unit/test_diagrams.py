"""The diagrams: valid Mermaid, and nothing in them that is not in the model."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cnnlab import catalog, diagrams
from cnnlab.diagrams.figures import FIGURES
from cnnlab.diagrams.mermaid import STYLES
from cnnlab.diagrams.wording import BLOCKS, LAYERS, block_types
from cnnlab.errors import ConfigError
from cnnlab.networks.vgg import VGGBlock, VGGOptions
from cnnlab.summary import layers
from cnnlab.trace import trace
from tests.unit.knobs import FIELDS, PRESETS, edge_values, field_of, random_options
from tests.unit.mermaid import Parsed, drawn, drawn_with, network, parse

# Section, network, preset: every network with every preset in every section that it is part of.
SHOWN = [
    (slug, name, preset)
    for slug, section in catalog.SECTIONS.items()
    for name, preset in PRESETS
    if name in section.networks
]


# The section that is about a network; 9.5 shows all of them.
HOME = {
    name: slug
    for slug, section in catalog.SECTIONS.items()
    if slug != "batch_norm"
    for name in section.networks
}


# Knobs that show only while another one is set.
NEEDS: dict[str, dict[str, Any]] = {
    "norm": {"batch_norm": True},
    "norm_place": {"batch_norm": True},
}


@pytest.mark.parametrize(("slug", "name", "preset"), SHOWN)
def test_figures_are_valid_and_described(slug: str, name: str, preset: str) -> None:
    for figure in diagrams.figures(slug, {name: drawn(name, preset)}):
        parse(figure.source)
        assert figure.title
        assert figure.caption.endswith(".")


def test_sections_have_their_figures() -> None:
    found = {}
    for slug, section in catalog.SECTIONS.items():
        names = section.beside or section.networks[:1]
        found[slug] = len(diagrams.figures(slug, {name: drawn(name) for name in names}))
    assert found == {
        "alexnet": 2,
        "vgg": 2,
        "nin": 2,
        "googlenet": 2,
        "batch_norm": 1,
        "resnet": 2,
        "densenet": 2,
    }


@pytest.mark.parametrize("name", catalog.NETWORKS)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_any_knobs_give_valid_diagrams(name: str, data: st.DataObject) -> None:
    options = data.draw(random_options(name))
    try:
        model = drawn_with(name, options)
        made = diagrams.figures(HOME[name], {name: model})
    except ConfigError:
        assume(False)
    for figure in [*made, *diagrams.figures("batch_norm", {name: model})]:
        parse(figure.source)


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_every_knob_changes_the_figures(name: str, field: str) -> None:
    slug, needs = HOME[name], NEEDS.get(field, {})
    before = diagrams.figures(slug, {name: drawn(name, **needs)})
    changed = []
    for value in edge_values(field_of(name, field)):
        try:
            changed.append(diagrams.figures(slug, {name: drawn(name, **needs, **{field: value})}))
        except ConfigError:
            continue
    assert any(figures != before for figures in changed)


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_shapes_between_boxes_are_those_of_the_layer_table(name: str, preset: str) -> None:
    found = drawn(name, preset)
    table = {
        "×".join(map(str, shape[1:]))
        for layer in layers(found).layers
        for shape in (layer.input_shape, layer.output_shape)
    }
    shapes = [text.split(" = ") for text in network(name, preset).labels_of("shape")]
    assert {part for parts in shapes for part in parts} <= table
    assert shapes[0] == ["×".join(map(str, found.nodes[0].output_shape[1:]))]
    assert shapes[-1] == [str(found.nodes[-1].output_shape[1])]


@pytest.mark.parametrize("name", ["lenet", "alexnet"])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_network_without_blocks_shows_every_layer(name: str, batch_norm: bool) -> None:
    found = drawn(name, batch_norm=batch_norm)
    parsed = parse(diagrams.network_diagram(found))
    kinds = [type(module) for module in found.outline.modules()]
    assert parsed.count("convolution") == kinds.count(nn.Conv2d)
    assert parsed.count("fully_connected") == kinds.count(nn.Linear)
    assert parsed.count("pooling") == kinds.count(nn.MaxPool2d) + kinds.count(nn.AvgPool2d)
    said = " ".join(parsed.labels.values()).lower()
    norms = kinds.count(nn.BatchNorm1d) + kinds.count(nn.BatchNorm2d)
    assert said.count("batch normalization") == norms
    assert said.count("relu") == kinds.count(nn.ReLU)
    assert said.count("sigmoid") == kinds.count(nn.Sigmoid)
    assert said.count("dropout") == kinds.count(nn.Dropout)


def test_depth_is_in_the_title() -> None:
    whole, detail = diagrams.figures("resnet", {"resnet": drawn("resnet", depth=34)})
    assert "ResNet-34" in whole.title
    assert "ResNet-34" in detail.title


def test_captions_follow_the_model() -> None:
    def captions(**knobs: Any) -> list[str]:
        made = diagrams.figures("resnet", {"resnet": drawn("resnet", **knobs)})
        return [figure.caption for figure in made]

    assert not any("no bias" in caption for caption in captions())
    assert all("no bias" in caption for caption in captions(variant="torchvision"))
    assert "The skip is off" in captions(skip=False)[1]
    assert "The skip is off" not in captions()[1]


@pytest.mark.parametrize("name", catalog.NETWORKS)
def test_model_with_weights_gives_the_same_and_is_left_as_it_was(name: str) -> None:
    outline = drawn(name, "small")
    model = catalog.build(name, "small")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with_weights = trace(model.train(), outline.nodes[0].output_shape)
    assert diagrams.network_diagram(with_weights) == diagrams.network_diagram(outline)
    assert all(module.training for module in model.modules())
    assert not any(module._forward_hooks for module in model.modules())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_every_kind_has_a_colour_and_every_layer_of_the_networks_is_known() -> None:
    kinds = {kind for kind, _ in LAYERS.values()} | {"terminal", "block", "meeting", "other"}
    assert kinds == set(STYLES)
    for name, preset in PRESETS:
        for module in drawn(name, preset).outline.modules():
            is_leaf = not any(module.children()) and not isinstance(module, nn.Identity)
            assert not is_leaf or isinstance(module, tuple(LAYERS)), type(module)


def test_unknown_layer_is_named_by_its_class() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Softplus(), nn.Conv2d(2, 3, 3))
    parsed = parse(diagrams.network_diagram(trace(model, (1, 1, 8, 8))))
    assert parsed.labels_of("other") == ["Softplus"]


def test_every_block_of_the_networks_is_in_one_of_them_and_described() -> None:
    traces = [drawn(name, preset) for name, preset in PRESETS]
    # No preset has the other order of a residual block.
    traces += [drawn("resnet", order="pre-activation", depth=depth) for depth in (18, 50)]
    traces.append(drawn("googlenet", auxiliary=True))
    found = {type(module) for one in traces for module in one.outline.modules()}
    assert set(block_types()) == set(BLOCKS)
    assert set(BLOCKS) <= found


class Chain(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Conv2d(8, 8, 3), nn.ReLU())


def test_a_new_block_is_one_box_under_the_name_of_its_class(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lenet = replace(catalog.NETWORKS["lenet"], blocks=(SqueezeAndExcitation, Chain))
    monkeypatch.setitem(catalog.NETWORKS, "lenet", lenet)
    found = trace(nn.Sequential(SqueezeAndExcitation(), Chain()), (1, 8, 6, 6))
    labels = parse(diagrams.network_diagram(found)).labels_of("block")
    assert labels == ["SqueezeAndExcitation", "Chain 3×3 convolution, 8 channels, ReLU"]


def test_wrong_requests_say_what_exists() -> None:
    with pytest.raises(ConfigError, match=r"no section 'transformer'.*resnet"):
        diagrams.figures("transformer", {})
    with pytest.raises(ConfigError, match=r"no figure 'photo'.*norm_placement"):
        diagrams.figures("vgg", {"vgg": drawn("vgg")}, ["photo"])
    with pytest.raises(ConfigError, match="no network 'bert'"):
        diagrams.figures("vgg", {"bert": drawn("vgg")})
    with pytest.raises(ConfigError, match="LeNet has no blocks"):
        diagrams.block_diagram(drawn("lenet"))


class SqueezeAndExcitation(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.down = nn.Conv2d(8, 4, 1)
        self.up = nn.Conv2d(4, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.up(torch.relu(self.down(self.squeeze(x)))))


class Split(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        kept, changed = x.chunk(2, dim=1)
        return torch.cat([kept, torch.special.expit(self.conv(changed)) - kept], dim=1)


def joined(parsed: Parsed) -> set[tuple[str, str]]:
    """The arrows by the labels at their ends, the shapes on them left out."""
    made_by = {stop: start for start, stop in parsed.arrows if parsed.kinds[stop] == "shape"}
    return {
        (parsed.labels[made_by.get(start, start)], parsed.labels[stop])
        for start, stop in parsed.arrows
        if parsed.kinds[stop] != "shape"
    }


def test_a_gate_is_drawn_with_both_of_its_branches() -> None:
    parsed = parse(diagrams.network_diagram(trace(SqueezeAndExcitation(), (1, 8, 6, 6))))
    assert joined(parsed) == {
        ("Input", "Global average pooling"),
        ("Global average pooling", "1×1 convolution, 4 channels, ReLU"),
        ("1×1 convolution, 4 channels, ReLU", "1×1 convolution, 8 channels, sigmoid"),
        ("Input", "Multiplication"),
        ("1×1 convolution, 8 channels, sigmoid", "Multiplication"),
        ("Multiplication", "Output"),
    }


def test_functions_that_nobody_knows_are_drawn_under_their_own_names() -> None:
    parsed = parse(diagrams.network_diagram(trace(Split(), (1, 8, 6, 6))))
    assert joined(parsed) == {
        ("Input", "Chunk"),
        ("Chunk", "3×3 convolution, 4 channels"),
        ("3×3 convolution, 4 channels", "Special_expit"),
        ("Special_expit", "Sub"),
        ("Chunk", "Sub"),
        ("Chunk", "Concatenation"),
        ("Sub", "Concatenation"),
        ("Concatenation", "Output"),
    }
    assert parsed.labels_of("other") == ["Chunk", "Special_expit"]


def test_a_block_that_runs_twice_is_counted_twice() -> None:
    block = VGGBlock(VGGOptions(), 2, 4, 4)
    parsed = parse(diagrams.network_diagram(trace(nn.Sequential(block, block), (1, 4, 8, 8))))
    assert len(parsed.labels_of("block")) == 2


@pytest.mark.parametrize("slug", catalog.SECTIONS)
def test_what_a_section_draws_is_in_the_list(slug: str) -> None:
    assert set(catalog.SECTIONS[slug].figures) <= set(FIGURES)
    assert set(catalog.SECTIONS[slug].beside) <= set(catalog.NETWORKS)


class Beside(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.aside, self.last = Chain(), Chain(), nn.Conv2d(8, 8, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.first(x)
        aside = self.aside(y)
        return self.last(y), aside


def test_a_block_whose_output_nothing_reads_is_a_line_of_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lenet = replace(catalog.NETWORKS["lenet"], blocks=(Chain,))
    monkeypatch.setitem(catalog.NETWORKS, "lenet", lenet)
    parsed = parse(diagrams.network_diagram(trace(Beside(), (1, 8, 9, 9))))
    line = "Chain 3×3 convolution, 8 channels, ReLU"
    assert parsed.labels_of("block") == [f"{line} {line.replace(' 3', ', 3', 1)}"]
    assert parsed.labels_of("convolution") == ["3×3 convolution, 8 channels"]
