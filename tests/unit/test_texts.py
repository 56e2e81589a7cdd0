"""The chapter texts: length, form, the points and the figures each must have."""

import re
from pathlib import Path

import pytest

from cnnlab import catalog, exercises
from cnnlab.experiments import EXPERIMENTS

TEXTS = Path(__file__).parents[2] / "assets" / "text"

# What each page must speak of: regular expressions that ignore case, one after a semicolon.
REQUIRED = {
    "alexnet": (
        r"26 \+ 17\$ million weights; "
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
        "the whole training set; stand in for them; 31.0 million; 13.3 million; "
        r"\(biased, a little too small\); collects the unbiased one; "
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
    """The text without its sources and the places of its figures and exercises."""
    return re.sub(r"^(Sources:.*|\{.*\})$", "", read(slug), flags=re.MULTILINE)


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
def test_a_text_leads_to_experiments_of_its_page_where_it_makes_their_claims(slug: str) -> None:
    found = re.findall(r"(?<=\n\n)\{experiment: (.*)\}(?=\n\n)", read(slug))
    assert found
    assert read(slug).count("{experiment") == len(found) == len(set(found))
    assert {EXPERIMENTS[name].section for name in found} == {slug}


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
    _, found, sources = read(slug).partition("\n#### Try it\n\n{exercises}\n\n")
    assert found
    assert 1 <= len(exercises.of_section(slug)) <= 4
    number = catalog.SECTIONS[slug].number.removeprefix("9.")
    assert sources.startswith("Sources: ")
    assert f"section 8.{number}, and 0.17.6, section 7.{number}." in sources


@slugs
def test_editions_of_the_book_are_named_in_the_sources_only(slug: str) -> None:
    assert not re.search(r"D2L|0\.17|section [78]\.", body(slug))


def test_the_code_that_pages_show_names_the_edition_with_its_section() -> None:
    for spec in catalog.NETWORKS.values():
        code = spec.source_file.read_text(encoding="utf-8")
        assert re.findall(r"D2L(?! 1\.0\.3, sections? [78]\.)", code) == [], spec.name
        assert re.findall(r"\b9\.[1-7]\b", code) == [], spec.name


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
