"""The counts that the chapter texts name are those of the models that their pages build."""

import math
from collections.abc import Callable

import pytest
from torch import nn

from cnnlab import catalog
from cnnlab.networks.densenet import DenseLayer, DenseNetOptions
from cnnlab.summary import summarize
from tests.unit.test_texts import read


def params(name: str, path: str = "", **knobs: object) -> int:
    """Parameters of a network of the catalog, or of one part of it."""
    spec = catalog.network(name)
    model = spec.build(spec.preset("d2l").replace(**knobs), device="meta")
    return sum(p.numel() for p in model.get_submodule(path).parameters())


def dense_block_convolutions() -> int:
    block = catalog.build("densenet").get_submodule("dense1")
    convolutions = [m for m in block.modules() if isinstance(m, nn.Conv2d)]
    return sum(p.numel() for m in convolutions for p in m.parameters())


def alexnets_head_after_googlenet() -> int:
    """Parameters of AlexNet's three layers where GoogLeNet takes an average."""
    googlenet = catalog.network("googlenet")
    table = summarize(
        googlenet.build(device="meta"), (1, 1, googlenet.book.image_size, googlenet.book.image_size)
    )
    pooled = next(layer for layer in table.layers if layer.name == "global_pool")
    hidden = catalog.network("alexnet").preset("d2l").hidden  # type: ignore[attr-defined]
    features = math.prod(pooled.input_shape)
    sizes = [(features, hidden), (hidden, hidden), (hidden, 10)]
    return sum(inputs * outputs + outputs for inputs, outputs in sizes)


def widest_input(preset: str) -> int:
    """The most channels that a layer of DenseNet's dense blocks reads."""
    model = catalog.build("densenet", preset)
    return max(m.norm1.num_features for m in model.modules() if isinstance(m, DenseLayer))


# What a text says, and the same count in the models that its page builds.
EXACT: list[tuple[str, str, Callable[[], int], int]] = [
    ("vgg", "102{,}764{,}544", lambda: params("vgg", "fc1", base_channels=64), 102_764_544),
    ("nin", "9{,}312", lambda: params("nin", "block1.conv2"), 9_312),
    # The text counts weights; the two convolutions of the path have 16 + 32 biases.
    ("googlenet", "15{,}872", lambda: params("googlenet", "inception3a.path3") - 48, 15_872),
    (
        "batch_norm",
        "= 452$ parameters",
        lambda: params("lenet", batch_norm=True) - params("lenet"),
        452,
    ),
    ("resnet", "8{,}320", lambda: params("resnet", "stage2.block1.shortcut"), 8_320),
    ("densenet", "129{,}152", dense_block_convolutions, 129_152),
    ("densenet", "at most 216", lambda: widest_input("d2l"), 216),
    ("densenet", "up to 992 channels, $31\\,k$", lambda: widest_input("densenet121"), 31 * 32),
    ("googlenet", "54{,}575{,}114", alexnets_head_after_googlenet, 54_575_114),
    ("googlenet", "10{,}250", lambda: params("googlenet", "fc"), 10_250),
]


@pytest.mark.parametrize(("slug", "said", "count", "figure"), EXACT)
def test_a_typed_count_is_that_of_the_model(
    slug: str, said: str, count: Callable[[], int], figure: int
) -> None:
    assert said in read(slug)
    assert count() == figure


ROUNDED: list[tuple[str, str, Callable[[], float], float]] = [
    ("alexnet", r"\approx 26$ million", lambda: params("alexnet", "fc6") / 1e6, 26),
    ("alexnet", r"\approx 17$ million", lambda: params("alexnet", "fc7") / 1e6, 16.8),
    ("googlenet", "not quite six million", lambda: params("googlenet") / 1e6, 5.98),
    (
        "alexnet",
        "more than half of the network",
        lambda: params("alexnet", "fc6") / params("alexnet"),
        0.56,
    ),
    (
        "vgg",
        "four fifths of the whole VGG-11",
        lambda: params("vgg", "fc1", base_channels=64) / params("vgg", base_channels=64),
        0.8,
    ),
    (
        "vgg",
        "still leaves a third of the parameters",
        lambda: params("vgg") / params("vgg", base_channels=64),
        1 / 3,
    ),
    (
        "googlenet",
        "has 7.0 million, biases included",
        lambda: params("googlenet", in_channels=3, num_classes=1000) / 1e6,
        7.0,
    ),
    ("nin", "about two million", lambda: params("nin") / 1e6, 2),
    (
        "nin",
        "nine tenths of its parameters",
        lambda: sum(params("alexnet", fc) for fc in ("fc6", "fc7", "fc8")) / params("alexnet"),
        0.92,
    ),
]


@pytest.mark.parametrize(("slug", "said", "count", "figure"), ROUNDED)
def test_a_rounded_figure_is_near_that_of_the_model(
    slug: str, said: str, count: Callable[[], float], figure: float
) -> None:
    assert said in read(slug)
    assert count() == pytest.approx(figure, rel=0.01)


@pytest.mark.parametrize("growth_rate", [8, 32])
def test_a_bottleneck_pays_from_where_the_text_says(growth_rate: int) -> None:
    assert "$c = 7.2\\,k$" in read("densenet")

    def weights(bottleneck: bool, channels: int) -> int:
        options = DenseNetOptions(growth_rate=growth_rate, bottleneck=bottleneck)
        layer = DenseLayer(options, channels)
        found = [m for m in layer.modules() if isinstance(m, nn.Conv2d)]
        return sum(m.weight.numel() for m in found)

    below, above = math.floor(7.2 * growth_rate), math.ceil(7.2 * growth_rate) + 1
    assert weights(True, below) > weights(False, below)
    assert weights(True, above) < weights(False, above)
