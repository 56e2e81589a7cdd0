"""The front page: what the chapter is about, all networks on one chart, the way to the pages."""

from pathlib import Path

import streamlit as st

from cnnlab.catalog import NETWORKS, SECTIONS
from cnnlab.summary import summarize
from pages.components import charts, knobs

LABELLED = ("d2l", "torchvision", "vgg16", "resnet50", "densenet121")
INTRODUCTION = """
In 2012 a convolutional network won a contest that had been decided by hand-made features.
The networks that followed are one long argument about the same few questions: how deep, how
wide, what to repeat, what to leave out, and how to make it trainable at all.

Here you do not only read about them. Every page builds the real PyTorch model. Turn a knob
and the figures change. Give it your own picture and look through its layers. Press *Start*
and watch it learn. **Every number you see is computed from the model in front of you.**
"""


def show() -> None:
    """The front page."""
    st.title("Modern convolutional networks", anchor=False)
    with st.container(width=760):
        st.markdown(INTRODUCTION)
    st.subheader("Seven pages", anchor=False)
    links()
    st.subheader("What they cost", anchor=False)
    st.plotly_chart(charts.networks(costs()), config=charts.PLAIN, key="networks")
    st.caption(
        "Each point is a network of this course, built and counted just now. Up is more to "
        "store, right is more to compute. Point at one for its year. Both axes are logarithmic."
    )


def links() -> None:
    """A card for every section, two in a row."""
    sections = list(SECTIONS.values())
    for start in range(0, len(sections), 2):
        for column, section in zip(st.columns(2), sections[start : start + 2], strict=False):
            with column.container(border=True, height="stretch"):
                st.page_link(
                    str(Path("pages") / "chapter" / f"{section.slug}.py"),
                    label=f"**{section.heading}**",
                    icon=":material/arrow_forward:",
                )
                st.markdown(section.aim)


@st.cache_data(show_spinner="Building the networks…")
def costs() -> list[dict[str, object]]:
    """Parameters and compute of every preset that somebody published or trains in the book."""
    rows: list[dict[str, object]] = []
    for spec in NETWORKS.values():
        for name, options in spec.presets.items():
            if name == "small":
                continue
            size = spec.preset_image_size(name)
            model = spec.build(options, device="meta", image_size=size)
            counted = summarize(model, (1, options.in_channels, size, size))
            published = options.num_classes == 1000
            title = knobs.words(name) if name[-1].isdigit() else spec.title
            title += {"d2l_bn": " with batch norm", "d2l_full": "-11 at full width"}.get(name, "")
            rows.append(
                {
                    "title": title,
                    # Families stand close together: one label each, all names on hovering.
                    "label": title if name in LABELLED else "",
                    "year": spec.year,
                    "kind": "published" if published else "book",
                    "params": counted.params,
                    "macs": counted.macs,
                    "input": f"{size}×{size}×{options.in_channels}",
                }
            )
    return rows
