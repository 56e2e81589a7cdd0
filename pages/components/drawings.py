"""Figures of networks, each as wide as it needs to be for its text to be read."""

from collections.abc import Sequence

import streamlit as st

from cnnlab.diagrams.figures import Figure


def show(figures: Sequence[Figure]) -> None:
    """The figures side by side where there is room, else one below the other; see style.css."""
    with st.container(horizontal=True, key="figures"):
        for i, figure in enumerate(figures):
            with st.container(width="content", key=f"figure_{i}"):
                st.subheader(figure.title, anchor=False)
                st.mermaid_chart(figure.source, alt=figure.title)
                st.caption(figure.caption)
