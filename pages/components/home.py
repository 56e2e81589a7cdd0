"""The front page: what the chapter is about, where to begin, what the networks cost."""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st
from plotly.graph_objects import Figure

from cnnlab import experiments
from cnnlab.catalog import NETWORKS, SECTIONS, Section
from cnnlab.compare.contenders import contenders, short_title
from cnnlab.experiments import EXPERIMENTS
from cnnlab.runs.answers import Answered
from cnnlab.runs.predictions import Prediction
from cnnlab.summary import layers
from cnnlab.trace import trace_of
from pages.components import (
    charts,
    links,
    network_chart,
    predictions,
    progress,
    read,
    services,
    state,
)
from pages.components.network_chart import NetworkCost

IN_A_ROW = 3
INTRODUCTION = """
In 2012 a convolutional network won a contest that had been decided by hand-made features.
The networks that followed are one long argument about the same few questions: how deep, how
wide, what to repeat, what to leave out, and how to make it trainable at all.

Here you do not only read about them. Every page builds the real PyTorch model. Turn a knob
and the figures change. Give it your own picture and look through its layers. Press *Start*
and watch it learn. **Every count you see is computed from the model in front of you.**
"""
NEWCOMERS = """
**New here?** Take the pages in order: each answers a question that the one before leaves open.
Read first, then open the other views. Half an hour a page is enough.
"""
HURRIED = """
**One minute?** Every claim of the chapter is an experiment: predict what comes out, let it run
over three seeds, and read what the data say. This one takes less than half a minute.
"""
CURIOUS = """
**Curious first?** Look through a network that has learned to tell shoes from shirts: which class it
says, and what every layer makes of a picture. Turn the picture, cover a part, or take your own.
"""
# The smallest network, whose layers fit on a screen.
SEEN_IN, SEEN_NETWORK = SECTIONS["alexnet"], NETWORKS["lenet"].title
FIRST = EXPERIMENTS["relu-sigmoid"]


def show() -> None:
    """The front page."""
    st.title("Modern convolutional networks", anchor=False)
    with st.container(width=760):
        st.markdown(INTRODUCTION)
        st.subheader("Where to begin", anchor=False)
        st.markdown(HURRIED)
        link(SECTIONS[FIRST.section], FIRST.question, view="Experiments", experiment=FIRST.id)
        st.markdown(CURIOUS)
        link(SEEN_IN, "See what a trained network sees", view=links.MAPS, network=SEEN_NETWORK)
        st.markdown(NEWCOMERS)
        link(SECTIONS["alexnet"], "Begin with 9.1 AlexNet")
    st.subheader("Seven pages", anchor=False)
    cards()
    st.subheader("What they cost", anchor=False)
    for screen, chart in cost_charts().items():
        st.plotly_chart(
            chart,
            config=charts.PLAIN,
            key=f"networks_{screen}",
            alt="Every network of the course as a point: parameters against multiply-accumulates.",
        )
    st.caption(
        "Each point is a network of this course, built and counted just now. Up is more to "
        "store, right is more to compute. Point at one for its year. Both axes are logarithmic."
    )


def cards() -> None:
    """A card for every section; all of it is the link, see style.css."""
    answered = services.store().answers.of(state.visitor())
    predicted = services.store().predictions.of(state.visitor())
    sections = list(SECTIONS.values())
    for start in range(0, len(sections), IN_A_ROW):
        row = sections[start : start + IN_A_ROW]
        for column, section in zip(st.columns(IN_A_ROW), row, strict=False):
            with column.container(border=True, height="stretch", key=f"card_{section.slug}"):
                card(section, answered, predicted)


def card(
    section: Section, answered: Mapping[str, Answered], predicted: Mapping[str, Prediction]
) -> None:
    """What a section is about, what it takes, and how far this visitor has come."""
    link(section, f"**{section.heading}**")
    st.markdown(section.aim)
    done, asked = progress.of_section(section, answered)
    takes = f":material/schedule: {read.minutes(section.slug)} min to read"
    if claims := experiments.of_section(section.slug):
        run = predictions.run(section, predicted)
        takes += f"  \n:material/science: {run} of {len(claims)} experiments run"
    if asked:
        takes += f"  \n:material/task_alt: {done} of {asked} questions answered right"
    st.caption(takes)


def link(section: Section, label: str, **query: str) -> None:
    """A link to a section, opened as the query says."""
    st.page_link(
        str(Path("pages") / "chapter" / f"{section.slug}.py"),
        label=label,
        icon=":material/arrow_forward:",
        query_params=query,
    )


@st.cache_resource(show_spinner="Building the networks…")
def cost_charts() -> dict[str, Figure]:
    """The chart of all networks for each kind of screen, the same for every visitor."""
    found = costs()
    return {screen: network_chart.figure(found, screen) for screen in network_chart.SCREENS_PX}


def costs() -> list[NetworkCost]:
    """Parameters and compute of every preset of the book and of torchvision."""
    rows = []
    for one in contenders("full"):
        options = one.spec.preset(one.preset)
        size = one.spec.preset_image_size(one.preset)
        counted = layers(trace_of(one.spec, options, size))
        rows.append(
            NetworkCost(
                title=short_title(one.spec, one.preset),
                year=one.spec.year,
                kind=one.kind,
                params=counted.params,
                macs=counted.macs,
                picture=f"{size}×{size}×{options.in_channels}",
            )
        )
    return rows
