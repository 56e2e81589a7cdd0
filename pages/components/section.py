"""A section page: the same views in the same order on every page."""

from collections.abc import Callable

import streamlit as st

from cnnlab.catalog import NETWORKS, NetworkSpec, Section
from pages.components import (
    architecture,
    check_yourself,
    experiments,
    feature_maps,
    links,
    read,
    train,
)

VIEWS: dict[str, Callable[[Section, NetworkSpec], None]] = {
    "Read": read.show,
    "Architecture": architecture.show,
    "Feature maps": feature_maps.show,
    "Train": train.show,
    "Experiments": experiments.show,
    "Check yourself": check_yourself.show,
}


def show(section: Section) -> None:
    """Draw the page; only the open view is computed."""
    heading, picker = st.columns([3, 1], vertical_alignment="bottom")
    heading.title(section.heading, anchor=False)
    heading.markdown(section.aim)
    with picker:
        spec = network_picker(section)
    links.sync(section, spec)
    tabs = st.tabs(list(VIEWS), key="view", bind="query-params")
    for tab, view in zip(tabs, VIEWS.values(), strict=True):
        if tab.open:
            with tab:
                view(section, spec)


def network_picker(section: Section) -> NetworkSpec:
    """The network that the page works on, a choice where the section has several."""
    if len(section.networks) == 1:
        return NETWORKS[section.networks[0]]
    name = st.selectbox(
        "Network",
        section.networks,
        format_func=lambda name: NETWORKS[name].title,
        key="network",
        bind="query-params",
    )
    return NETWORKS[name]
