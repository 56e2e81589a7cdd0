"""The diagrams: valid Mermaid, and nothing in them that is not in the model."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cnnlab import catalog, diagrams
from cnnlab.diagrams.figures import FIGURES
from cnnlab.diagrams.mermaid import STYLES
from cnnlab.diagrams.wording import BLOCKS, LAYERS
from cnnlab.errors import ConfigError
from cnnlab.networks.options import ACTIVATIONS, Options
from cnnlab.networks.vgg import VGGBlock, VGGOptions
from cnnlab.summary import layers
from cnnlab.trace import Trace, trace, trace_of
from tests.unit.knobs import FIELDS, PRESETS, edge_values, field_of, image_size, random_options

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
ID = r"[a-z]\d+s?"
NODE = re.compile(rf'({ID})(?:\["|\("|\(\["|\[\[")([^"]*)(?:"\]|"\)|"\]\)|"\]\]):::(\w+)')
ARROW = re.compile(rf"({ID}) (-->|---) ({ID})")
# Words that Mermaid's grammar keeps for itself.
RESERVED = {"end", "graph", "flowchart", "subgraph", "style", "class", "click", "default"}


@dataclass(frozen=True)
class Parsed:
    """What a diagram says: labels and kinds of the boxes, the arrows, titles of the groups."""

    labels: dict[str, str]
    kinds: dict[str, str]
    arrows: list[tuple[str, str]]
    groups: list[str]

    def count(self, kind: str) -> int:
        return list(self.kinds.values()).count(kind)

    def labels_of(self, kind: str) -> list[str]:
        return [self.labels[i] for i, its_kind in self.kinds.items() if its_kind == kind]

    def has(self, text: str) -> bool:
        return any(text in label for label in self.labels.values())


def parse(source: str) -> Parsed:
    """Read the part of Mermaid that the diagrams use; anything else fails."""
    first, second, *lines = source.splitlines()
    setting = json.loads(first.removeprefix("%%{init: ").removesuffix("}%%"))
    assert set(setting) == {"layout", "flowchart"}
    assert second == "flowchart TB"
    parsed = Parsed({}, {}, [], [])
    classes: set[str] = set()
    open_groups: list[str] = []
    for line in lines:
        if node := NODE.fullmatch(line):
            name, label, kind = node.groups()
            assert name not in parsed.labels, "names are unique"
            assert label.strip()
            parsed.labels[name] = label.replace("<br/>", " ")
            parsed.kinds[name] = kind
        elif arrow := ARROW.fullmatch(line):
            parsed.arrows.append((arrow[1], arrow[3]))
        elif group := re.fullmatch(r'subgraph ([a-z])\["([^"]+)"\]', line):
            open_groups.append(group[1])
            parsed.groups.append(group[2])
        elif line == "end":
            open_groups.pop()
        elif definition := re.fullmatch(r"classDef (\w+) [-:;,#\w]+", line):
            classes.add(definition[1])
        else:
            assert re.fullmatch(r"direction TB|style [a-z] [-:,#\w]+|[a-z]( ~~~ [a-z])+", line), (
                f"not understood: {line}"
            )
    assert not open_groups
    assert set(parsed.kinds.values()) <= classes
    assert not classes & RESERVED
    for label in parsed.labels.values():
        assert not set('"<>#;{}`') & set(label), label
        assert label.count("(") == label.count(")")
    for start, stop in parsed.arrows:
        assert start in parsed.labels
        assert stop in parsed.labels
    joined = {name for arrow in parsed.arrows for name in arrow}
    assert len(parsed.labels) == 1 or joined == set(parsed.labels), "no box stands alone"
    return parsed


def drawn(name: str, preset: str = "d2l", **knobs: Any) -> Trace:
    return drawn_with(name, catalog.NETWORKS[name].presets[preset].replace(**knobs))


def drawn_with(name: str, options: Options) -> Trace:
    return trace_of(catalog.NETWORKS[name], options, image_size(name, options))


def network(name: str, preset: str = "d2l", **knobs: Any) -> Parsed:
    return parse(diagrams.network_diagram(drawn(name, preset, **knobs)))


def block(name: str, preset: str = "d2l", **knobs: Any) -> Parsed:
    return parse(diagrams.block_diagram(drawn(name, preset, **knobs)))


def norm(name: str, preset: str = "d2l", **knobs: Any) -> Parsed:
    return parse(diagrams.norm_placement_diagram(drawn(name, preset, **knobs)))


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
    slug = HOME[name]
    before = diagrams.figures(slug, {name: drawn(name)})
    changed = []
    for value in edge_values(field_of(name, field)):
        try:
            changed.append(diagrams.figures(slug, {name: drawn(name, **{field: value})}))
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


def test_labels_give_kernel_channels_and_stride() -> None:
    parsed = network("alexnet")
    assert "11×11 convolution, 96 channels, stride 4, ReLU" in parsed.labels_of("convolution")
    assert "3×3 max-pooling, stride 2" in parsed.labels_of("pooling")
    assert "Fully connected, 4096 units, ReLU, dropout 0.5" in parsed.labels_of("fully_connected")
    assert "256×5×5 = 6400" in parsed.labels_of("shape")
    assert network("alexnet", in_channels=16).has("16×224×224")
    assert network("lenet", channels1=1).has("5×5 convolution, 1 channel, sigmoid")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_is_named(activation: str) -> None:
    word = activation.replace("_", " ")
    labels = network("lenet", activation=activation).labels_of("convolution")
    assert all(label.lower().endswith(word) for label in labels)


@pytest.mark.parametrize(
    ("preset", "blocks"),
    [
        ("d2l", [1, 1, 2, 2, 2]),
        ("vgg13", [2, 2, 2, 2, 2]),
        ("vgg16", [2, 2, 3, 3, 3]),
        ("vgg19", [2, 2, 4, 4, 4]),
    ],
)
def test_vgg_blocks_count_their_convolutions(preset: str, blocks: list[int]) -> None:
    labels = network("vgg", preset).labels_of("block")
    counts = [int(found[1]) if (found := re.search(r"(\d) × \(", x)) else 1 for x in labels]
    assert counts == blocks


@pytest.mark.parametrize(
    ("preset", "folded"),
    [
        ("d2l", [2, 1, 1, 1, 1, 1, 1]),
        ("resnet34", [3, 1, 3, 1, 5, 1, 2]),
        ("resnet50", [1, 2, 1, 3, 1, 5, 1, 2]),
    ],
)
def test_equal_residual_blocks_are_folded(preset: str, folded: list[int]) -> None:
    labels = network("resnet", preset).labels_of("block")
    counts = [int(found[1]) if (found := re.search(r"block × (\d)", x)) else 1 for x in labels]
    assert counts == folded


def test_residual_block_names_its_skip() -> None:
    skip = "Residual block 128 channels, stride 2 1×1 convolution on the skip"
    assert network("resnet").labels_of("block")[1:3] == [skip, "Residual block 128 channels"]
    assert skip in network("resnet", variant="torchvision").labels_of("block")
    plain = network("resnet", skip=False).labels_of("block")
    assert plain[1] == "Residual block 128 channels, stride 2 no skip"


def test_activation_after_a_block_is_a_step_of_its_own() -> None:
    assert network("densenet").labels_of("normalization") == ["Batch normalization, ReLU"]
    assert network("densenet", batch_norm=False).labels_of("activation") == ["ReLU"]


def test_inception_blocks_share_a_box_with_a_line_each() -> None:
    labels = network("googlenet").labels_of("block")
    assert [label.count("=") for label in labels] == [2, 5, 2]
    assert labels[0].startswith("Inception block × 2 64 + 128 + 32 + 32 = 256 channels")
    assert network("googlenet", width=0.5).has("32 + 64 + 16 + 16 = 128 channels")


def test_inception_has_four_paths_that_meet() -> None:
    parsed = block("googlenet")
    (meeting,) = [i for i, kind in parsed.kinds.items() if kind == "meeting"]
    starts = [stop for start, stop in parsed.arrows if parsed.labels[start].startswith("Input")]
    ends = [start for start, stop in parsed.arrows if stop == meeting]
    assert len(set(starts)) == 4
    assert len(set(ends)) == 4
    assert parsed.count("convolution") == 6
    assert parsed.has("5×5 convolution, 32 channels")
    assert not block("googlenet", variant="torchvision").has("5×5")


def test_batch_norm_switch_shows_in_the_inception_block() -> None:
    assert not block("googlenet").has("normalization")
    labels = block("googlenet", batch_norm=True).labels_of("convolution")
    assert all("batch normalization" in label for label in labels)


@pytest.mark.parametrize("preset", ["d2l", "resnet34", "resnet50"])
def test_residual_blocks_show_both_skips(preset: str) -> None:
    parsed = block("resnet", preset)
    assert parsed.groups == ["Shape changed", "Shape kept"]
    assert parsed.labels_of("meeting") == ["Addition", "Addition"]
    direct = [
        1
        for start, stop in parsed.arrows
        if parsed.kinds[start] == "terminal" and parsed.kinds[stop] == "meeting"
    ]
    assert len(direct) == 1, "one input is added as it is, the other through a convolution"
    assert block("resnet", preset, skip=False).count("meeting") == 0
    assert block("resnet", preset, batch_norm=False).count("normalization") == 0


def test_torchvision_residual_block_normalizes_the_skip() -> None:
    book = block("resnet").count("normalization")
    assert block("resnet", variant="torchvision").count("normalization") == book + 1


@pytest.mark.parametrize(("layers", "boxes"), [("2-2-2", 2), ("4-4-4", 4), ("6-12-24-16", 4)])
def test_every_dense_layer_reads_all_before_it(layers: str, boxes: int) -> None:
    parsed = block("densenet", layers=layers)
    assert parsed.count("block") == boxes
    # The input, the layers and the concatenation, each pair joined once.
    members = {
        i
        for i, kind in parsed.kinds.items()
        if kind in ("block", "meeting") or (i.startswith("a") and parsed.labels[i][:5] == "Input")
    }
    arrows = [arrow for arrow in parsed.arrows if set(arrow) <= members]
    assert len(set(arrows)) == len(arrows) == (boxes + 2) * (boxes + 1) // 2


def test_dense_block_counts_channels() -> None:
    assert block("densenet").labels_of("block") == [
        "Layer 1 reads 64 adds 32",
        "Layer 2 reads 96 adds 32",
        "Layer 3 reads 128 adds 32",
        "Layer 4 reads 160 adds 32",
    ]
    parsed = block("densenet", "densenet121", growth_rate=10)
    assert parsed.has("Layers 4 to 6 read 94 to 114 add 10 each")
    assert parsed.has("Output, 124×24×24")


def test_inside_of_a_dense_layer_follows_its_knobs() -> None:
    assert block("densenet").count("convolution") == 1
    assert block("densenet", bottleneck=True).count("convolution") == 2
    assert block("densenet").count("normalization") == 1
    assert block("densenet", batch_norm=False).count("normalization") == 0


def test_batch_norm_sits_before_the_activation() -> None:
    parsed = norm("lenet", batch_norm=True)
    assert parsed.groups == ["Fully-connected layer", "Convolution layer"]
    kinds = [(parsed.kinds[start], parsed.kinds[stop]) for start, stop in parsed.arrows]
    assert sorted(kinds) == [
        ("activation", "pooling"),
        ("convolution", "normalization"),
        ("fully_connected", "normalization"),
        ("normalization", "activation"),
        ("normalization", "activation"),
    ]
    assert parsed.has("6 γ and 6 β")
    assert parsed.has("120 γ and 120 β")


@pytest.mark.parametrize("name", catalog.NETWORKS)
def test_batch_norm_off_leaves_no_normalization(name: str) -> None:
    assert norm(name, batch_norm=True).count("normalization") >= 1
    assert norm(name, batch_norm=False).count("normalization") == 0
    (off,) = diagrams.figures("batch_norm", {name: drawn(name, batch_norm=False)})
    assert "off" in off.caption
    (on,) = diagrams.figures("batch_norm", {name: drawn(name, batch_norm=True)})
    assert "per channel" in on.caption
    assert ("per unit" in on.caption) == (name == "lenet"), "only LeNet normalizes hidden layers"


@pytest.mark.parametrize("name", ["nin", "googlenet", "resnet", "densenet"])
def test_network_without_hidden_layer_shows_only_the_convolution(name: str) -> None:
    assert norm(name, batch_norm=True).groups == ["Convolution layer"]


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


def test_every_block_of_the_networks_is_one_box() -> None:
    found = {
        type(module)
        for name, preset in PRESETS
        for module in drawn(name, preset).outline.modules()
        if type(module) in BLOCKS
    }
    assert found == set(BLOCKS)


def test_wrong_requests_say_what_exists() -> None:
    with pytest.raises(ConfigError, match=r"no section 'transformer'.*resnet"):
        diagrams.figures("transformer", {})
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


@pytest.mark.parametrize(
    ("name", "inside"),
    [("vgg", ["convolution", "convolution", "pooling"]), ("nin", ["convolution"] * 3)],
)
def test_the_blocks_of_vgg_and_nin_are_drawn_in_detail(name: str, inside: list[str]) -> None:
    whole, detail = diagrams.figures(name, {name: drawn(name, batch_norm=True)})
    assert "from input to output" in whole.title
    assert detail.title.startswith("VGG block" if name == "vgg" else "NiN block")
    parsed = parse(detail.source)
    assert parsed.count("convolution") == (2 if name == "vgg" else 3)
    assert [kind for kind in parsed.kinds.values() if kind in inside] == inside
    assert all("normalization" in label for label in parsed.labels_of("convolution"))


def test_vgg_is_drawn_with_the_channels_of_the_text() -> None:
    section = catalog.SECTIONS["vgg"]
    labels = network("vgg", section.preset).labels_of("shape")
    assert labels[1:6] == ["64×112×112", "128×56×56", "256×28×28", "512×14×14", "512×7×7 = 25088"]


@pytest.mark.parametrize("slug", catalog.SECTIONS)
def test_what_a_section_draws_is_in_the_list(slug: str) -> None:
    assert set(catalog.SECTIONS[slug].figures) <= set(FIGURES)
    assert set(catalog.SECTIONS[slug].beside) <= set(catalog.NETWORKS)
