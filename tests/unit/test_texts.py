"""The chapter texts: length, form, the points each must cover, figures the models bear out."""

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import nn

from cnnlab import catalog
from cnnlab.networks.densenet import DenseLayer, DenseNetOptions
from cnnlab.summary import summarize

TEXTS = Path(__file__).parents[2] / "assets" / "text"

# What each page must speak of: regular expressions that ignore case, one after a semicolon.
REQUIRED = {
    "alexnet": (
        "overfitting; why this head needs dropout; one tower; two of them trained on more data; "
        "validation set; today's form; "
        "LeNet; five layers with weights against eight; ReLU; sigmoid; cost; saturat; "
        "vanishing gradient; initialization; dropout; augmentation; flipped; cropped; colour; "
        "seven networks; 18.2%; 227"
    ),
    "vgg": (
        "VGG block; max-pooling; five blocks; 1-1-2-2-2; 64, 128, 256, 512; VGG-11; "
        "layers with weights; 18C; 25C; second in classification"
    ),
    "nin": (
        "LeNet, AlexNet and VGG share; fully-connected layer at every pixel; 1×1; NiN block; "
        "no fully-connected layers; as many channels as there are classes; "
        "global average pooling; logits; no logit is ever negative; 8 end near chance; "
        "nothing in the layer that follows says"
    ),
    "googlenet": (
        "four parallel paths; concatenated along the channels; channel counts per path; knobs; "
        "5×5; nine inception blocks; max-pooling between; global average pooling; "
        "6.8 million; nine times; auxiliary; regularizers; replaces a stack of fully-connected"
    ),
    "batch_norm": (
        "differ in size: between one layer and the next, and between the units; "
        "similar scales suit one learning rate; deep networks are prone to overfit; "
        "the whole training set; stand in for them; biased; unbiased; 31.0 million; 13.3 million; "
        "authors' own reading; "
        r"mean 0 and standard deviation 1; \\gamma; \\beta; learned with the rest; "
        "speed up convergence; contested; internal covariate shift; Santurkar; Bjorck; Fixup; "
        "unsettled; batch size matters; fully-connected layer:; "
        "after the affine map, before the activation; after the convolution; per channel; "
        "running; prediction; stay fixed"
    ),
    "resnet": (
        r"residual block; x \+ g\(x\); 1×1 convolution; GoogLeNet; "
        "batch norm after each convolution; ResNet-18; four stages; 27.94%; 27.88%; "
        "nearly equal; vanishing gradients; Veit; shatter; 76.1%; 80.9%; "
        "fill up with zeros; 24.52%; wherever the skip is the identity"
    ),
    "densenet": (
        r"concatenat; instead of add; graph is called dense; L\(L\+1\)/2; growth rate; "
        "dense block; transition layer; average pooling; memory-hungry; shared storage; "
        "a DenseNet layer, is batch norm, ReLU, 3×3 convolution; pays only from"
    ),
}

slugs = pytest.mark.parametrize("slug", REQUIRED)


def read(slug: str) -> str:
    return (TEXTS / f"{slug}.md").read_text(encoding="utf-8")


def body(slug: str) -> str:
    """The text without its sources and the places of its figures."""
    return re.sub(r"^(Sources:.*|\{figure:.*\})$", "", read(slug), flags=re.MULTILINE)


def prose_words(text: str) -> list[str]:
    """Words of a body: what stands between spaces or table bars, holds a letter or a digit,
    and is no part of a formula."""
    prose = re.sub(r"\$\$.*?\$\$|\$[^$]*\$", " ", text, flags=re.DOTALL)
    return [word for word in re.split(r"[\s|]+", prose) if re.search(r"\w", word)]


def formulas(text: str) -> list[str]:
    return [a or b for a, b in re.findall(r"\$\$(.*?)\$\$|\$([^$]*)\$", text, flags=re.DOTALL)]


def test_every_section_of_the_catalog_has_its_text() -> None:
    assert set(REQUIRED) == set(catalog.SECTIONS) == {path.stem for path in TEXTS.glob("*.md")}


def test_words_are_counted_without_formulas_and_marks() -> None:
    text = "#### Two words\n\n- **three** $x + y$ *four* — |five|\n|---|\n\n$$\na = b\n$$\n"
    assert prose_words(text) == ["Two", "words", "**three**", "*four*", "five"]


@slugs
def test_a_text_has_300_to_700_words(slug: str) -> None:
    assert 300 <= len(prose_words(body(slug))) <= 700


# Figures that a text needs, as marked in it; 9.1 has both networks, other blocks their variants.
FIGURES = {
    "alexnet": ["network", "activations"],
    "vgg": ["block, network"],
    "nin": ["block, network"],
    "googlenet": ["block", "network"],
    "batch_norm": ["norm_placement"],
    "resnet": ["block", "network"],
    "densenet": ["block", "network"],
}


@slugs
def test_a_text_has_its_figures_between_paragraphs(slug: str) -> None:
    found = re.findall(r"(?<=\n\n)\{figure: (.*)\}(?=\n\n)", read(slug))
    assert found == FIGURES[slug]
    assert read(slug).count("{figure") == len(found)


@slugs
def test_formulas_open_and_close(slug: str) -> None:
    text = read(slug)
    assert text.count("$$") % 2 == 0
    assert all(line == "$$" for line in text.splitlines() if "$$" in line)
    for paragraph in re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL).split("\n\n"):
        assert paragraph.count("$") % 2 == 0, paragraph
    for formula in formulas(text):
        assert formula.strip(), "an empty formula"
        assert formula.count("{") == formula.count("}"), formula
        assert formula.count(r"\left") == formula.count(r"\right"), formula
        assert "|" not in formula, "a bar would end a table cell"


@slugs
def test_headings_leave_the_title_to_the_page(slug: str) -> None:
    marks = re.findall(r"^(#+) ", read(slug), flags=re.MULTILINE)
    assert set(marks) == {"####"}
    assert 2 <= len(marks) <= 4


@slugs
def test_a_text_ends_with_things_to_try_and_its_sources(slug: str) -> None:
    _, found, rest = read(slug).partition("\n#### Try it\n\n")
    assert found
    *tries, blank, sources = rest.rstrip("\n").splitlines()
    assert blank == ""
    assert 2 <= len(tries) <= 4
    assert all(re.match(r"- \*\*(Architecture|Feature maps|Train)\b", line) for line in tries)
    number = catalog.SECTIONS[slug].number.removeprefix("9.")
    assert sources.startswith("Sources: ")
    assert f"section 8.{number}, and 0.17.6, section 7.{number}." in sources


@slugs
def test_editions_of_the_book_are_named_in_the_sources_only(slug: str) -> None:
    assert not re.search(r"D2L|0\.17|section [78]\.", body(slug))


@slugs
def test_a_paper_named_in_the_text_stands_in_the_sources(slug: str) -> None:
    sources = read(slug).rstrip("\n").splitlines()[-1]
    cited = re.findall(r"([A-Z]\w+)(?: et al\.| & [A-Z]\w+) \(?((?:19|20)\d\d)\b", body(slug))
    assert cited
    for author, year in cited:
        assert re.search(rf"{author}\b[^;]*\({year}\)", sources), f"{author} {year}"


@pytest.mark.parametrize(
    ("slug", "point"),
    [(s, point) for s, points in REQUIRED.items() for point in points.split("; ")],
)
def test_a_text_covers_the_points_of_its_page(slug: str, point: str) -> None:
    without_emphasis = " ".join(body(slug).replace("*", "").split())
    assert re.search(point, without_emphasis, flags=re.IGNORECASE)


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
