"""Figures of networks, each as wide as it needs to be for its text to be read."""

from collections.abc import Sequence

import streamlit as st

from cnnlab.diagrams import Figure


def show(figures: Sequence[Figure], row: str = "all", *, headings: bool = True) -> None:
    """The figures side by side where there is room, else one below the other; see style.css.

    `row` tells several rows of a page apart. `headings`: a title stands above its figure as a
    heading, not as the beginning of the caption.
    """
    with st.container(horizontal=True, key=f"figures_{row}"):
        for i, figure in enumerate(figures):
            with st.container(width="content", key=f"figure_{row}_{i}"):
                if headings:
                    st.subheader(figure.title, anchor=False)
                st.mermaid_chart(figure.source, alt=figure.title)
                st.caption(figure.caption if headings else f"**{figure.title}.** {figure.caption}")
