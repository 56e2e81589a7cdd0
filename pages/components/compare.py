"""The Compare page: all networks in one table, as bubbles, in a race, beside published figures."""

import streamlit as st

from cnnlab.compare.contenders import Size
from cnnlab.datasets import DATASETS
from pages.components import compare_table, focus, race, same_picture

SIZES: dict[Size, str] = {"small": "Small, for a laptop", "full": "Full, as published"}


def show() -> None:
    """The page."""
    st.title("Compare", anchor=False)
    st.markdown(
        "What each network of the chapter costs, and what it reaches. A click on the head of a "
        "column sorts by it."
    )
    row = st.container(horizontal=True, vertical_alignment="bottom")
    size = row.segmented_control(
        "Networks",
        list(SIZES),
        default="small",
        format_func=SIZES.__getitem__,
        required=True,
        key="compare.size",
        bind="query-params",
    )
    dataset = row.selectbox(
        "Data set",
        list(DATASETS),
        format_func=lambda name: DATASETS[name].title,
        key="compare.dataset",
        bind="query-params",
        width=240,
    )
    size = size or "small"
    runs = compare_table.own_runs()
    compare_table.show(size, dataset, runs)
    same_picture.show(dataset)
    race.show(size, dataset)
    compare_table.published_figures(runs)
    focus.settle()
