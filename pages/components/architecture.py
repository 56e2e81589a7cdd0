"""The Architecture view: knobs, figures, the layer table, what each layer costs, the code."""

import streamlit as st

from cnnlab import diagrams
from cnnlab.catalog import NETWORKS, NetworkSpec, Section
from cnnlab.errors import CnnLabError
from cnnlab.summary import Summary, layers
from cnnlab.trace import trace_of
from pages.components import (
    block_links,
    compare_with,
    configuration,
    differences,
    drawings,
    layer_table,
    network_choice,
    panel,
)
from pages.components.magnitudes import engineering
from pages.components.network_choice import Configured


def show(section: Section, spec: NetworkSpec) -> None:
    """Everything about the network as it is configured."""
    side, content = panel.columns()
    try:
        with side:
            configured = network_choice.choose(section, spec)
        with content:
            summary = layers(configured.trace)
            if not compared(section, spec):
                totals(summary)
                figures(section, configured)
                block_links.show(configured.trace)
            layer_table.show(configured.trace, summary, spec)
            source(section, spec)
    except CnnLabError as error:
        content.error(str(error), icon=":material/straighten:")


def compared(section: Section, spec: NetworkSpec) -> bool:
    """The network beside the one that the reader chose, if there is one that can be built."""
    against = compare_with.picker(section, spec)
    if against is None:
        return False
    try:
        differences.show(configuration.current(section, spec), against)
    except CnnLabError as error:
        st.error(f"It cannot be compared: {error}", icon=":material/straighten:")
        return False
    return True


def totals(summary: Summary) -> None:
    """The three sums that people compare networks by."""
    columns = st.columns(3)
    columns[0].metric("Parameters", f"{summary.params:,}")
    columns[1].metric(
        "Multiply-accumulates",
        engineering(summary.macs),
        help=f"{summary.macs:,} for one picture, in convolutions and fully-connected layers.",
    )
    columns[2].metric(
        "Activations",
        f"{summary.activation_bytes / 1e6:,.2f} MB",
        help="The outputs of all layers for one picture, 4 bytes a value.",
    )
    if heads := [layer for layer in summary.layers if layer.training_only]:
        params, macs = sum(x.params for x in heads), sum(x.macs for x in heads)
        st.caption(
            f"{params:,} parameters and {macs:,} multiply-accumulates of these are the auxiliary "
            "heads', which run in training only."
        )


def figures(section: Section, configured: Configured) -> None:
    """The figures of the section, drawn from the models as configured."""
    traces = {configured.spec.name: configured.trace}
    for name in section.beside:
        if name not in traces:
            spec = NETWORKS[name]
            traces[name] = trace_of(spec, spec.presets["d2l"], spec.book.image_size)
    drawings.show(diagrams.figures(section.slug, traces))


def source(section: Section, spec: NetworkSpec) -> None:
    """The code that built the model above."""
    st.subheader("The code", anchor=False)
    for file in section.source_files(spec):
        with st.expander(f"cnnlab/networks/{file.name}", icon=":material/code:"):
            st.code(file.read_text(encoding="utf-8"), language="python")
