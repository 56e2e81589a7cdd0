"""What the diagrams say of layers and blocks, network by network."""

import re

import pytest

from cnnlab import catalog, diagrams
from cnnlab.networks.options import ACTIVATIONS
from tests.unit.mermaid import block, drawn, network, norm, parse


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


def test_batch_norm_after_the_activation() -> None:
    parsed = norm("lenet", batch_norm=True, norm_place="after_activation")
    kinds = {(parsed.kinds[start], parsed.kinds[stop]) for start, stop in parsed.arrows}
    assert ("convolution", "activation") in kinds
    assert ("activation", "normalization") in kinds
    assert ("normalization", "activation") not in kinds
    assert network("lenet", batch_norm=True, norm_place="after_activation").has(
        "5×5 convolution, 6 channels, sigmoid, batch normalization"
    )


@pytest.mark.parametrize(
    ("kind", "learned", "says"),
    [
        ("full", True, "per unit"),
        ("frozen", False, "the scale stays 1 and the shift 0"),
        ("mean_only", True, "subtracts the mean and divides by nothing"),
        ("variance_only", True, "subtracts nothing"),
        ("batch_statistics", True, "from the batch in prediction too"),
    ],
)
def test_the_kind_of_batch_norm_is_named(kind: str, learned: bool, says: str) -> None:
    model = drawn("lenet", batch_norm=True, norm=kind)
    (figure,) = diagrams.figures("batch_norm", {"lenet": model})
    assert says in figure.caption
    assert ("per channel" in figure.caption) == learned
    assert parse(figure.source).has("6 γ and 6 β") == learned
    name = "" if kind == "full" else f", {kind.replace('_', ' ')}"
    label = f"5×5 convolution, 6 channels, batch normalization{name}, sigmoid"
    assert network("lenet", batch_norm=True, norm=kind).has(label)


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
