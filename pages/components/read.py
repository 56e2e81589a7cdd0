"""The Read view: the section's idea in words."""

from pathlib import Path

import streamlit as st

from cnnlab.catalog import NetworkSpec, Section

TEXTS = Path(__file__).parents[2] / "assets" / "text"
WORDS_PER_MINUTE = 180


def show(section: Section, _spec: NetworkSpec) -> None:
    """The text of the section, in a column that is pleasant to read."""
    with st.container(width=760):
        st.markdown(text(section.slug))


@st.cache_data(show_spinner=False)
def text(slug: str) -> str:
    return (TEXTS / f"{slug}.md").read_text(encoding="utf-8")


def minutes(slug: str) -> int:
    """About how long the text takes to read."""
    return max(1, round(len(text(slug).split()) / WORDS_PER_MINUTE))
