"""The Read view: the section's idea in words, with its figures where they are explained."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import streamlit as st

from cnnlab import diagrams
from cnnlab.catalog import NETWORKS, NetworkSpec, Section
from cnnlab.experiments import EXPERIMENTS as CLAIMS
from cnnlab.trace import trace_of
from pages.components import (
    activation_charts,
    drawings,
    exercises,
    experiment_link,
    norm_bench,
    norm_by_hand,
    pointwise_bench,
    rate_grid,
    stride_bench,
)

TEXTS = Path(__file__).parents[2] / "assets" / "text"
WORDS_PER_MINUTE = 180
# A line of a text that stands for figures, "{figure: block, network}" for two side by side, for an
# experiment, a bench, or the things to try.
MARKER = re.compile(r"^\{(?:figure: |experiment: )?([\w, -]+)\}$", re.MULTILINE)
EXERCISES = "exercises"
# What else a marker can stand for.
DRAWN: dict[str, Callable[[], None]] = {
    "activations": activation_charts.show,
    "bench": norm_bench.show,
    "by_hand": norm_by_hand.show,
    "pointwise": pointwise_bench.show,
    "rates": rate_grid.show,
    "stride": stride_bench.show,
}


def show(section: Section, _spec: NetworkSpec) -> None:
    """The text of the section, in a column that is pleasant to read."""
    with st.container(width=760):
        for words, kinds in parts(text(section.slug)):
            st.markdown(words)
            if kinds == [EXERCISES]:
                exercises.show(section)
            elif kinds and kinds[0] in DRAWN:
                DRAWN[kinds[0]]()
            elif kinds and kinds[0] in CLAIMS:
                experiment_link.show(kinds[0])
            elif kinds:
                row = "_".join(kinds)
                drawings.show(book_figures(section, kinds), row, headings=False)


def parts(text: str) -> Iterator[tuple[str, list[str]]]:
    """Pieces of a text, each with what its marker asks for."""
    *pairs, rest = MARKER.split(text)
    for words, names in zip(pairs[::2], pairs[1::2], strict=True):
        yield words, names.split(", ")
    yield rest, []


def book_figures(section: Section, kinds: list[str]) -> list[diagrams.Figure]:
    """Figures of the networks that the text is about, as the book builds them."""
    traces = {}
    for name in section.beside or section.networks[:1]:
        spec = NETWORKS[name]
        preset = section.preset if section.preset in spec.presets else "d2l"
        traces[name] = trace_of(spec, spec.presets[preset], spec.preset_image_size(preset))
    return diagrams.figures(section.slug, traces, kinds)


@st.cache_data(show_spinner=False)
def text(slug: str) -> str:
    """The chapter text of a section, in Markdown with markers for its figures."""
    return (TEXTS / f"{slug}.md").read_text(encoding="utf-8")


def minutes(slug: str) -> int:
    """About how long the text takes to read."""
    return max(1, round(len(text(slug).split()) / WORDS_PER_MINUTE))
