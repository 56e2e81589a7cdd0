"""The Architecture view: knobs, figures, the layer table, what each layer costs, the code."""

import streamlit as st

from cnnlab.catalog import NetworkSpec, Section
from cnnlab.errors import CnnLabError
from pages.components import (
    block_links,
    compare_with,
    configuration,
    differences,
    drawings,
    layer_table,
    network_choice,
    overview,
    panel,
)
from pages.components.magnitudes import engineering
from pages.components.overview import Totals


def show(section: Section, spec: NetworkSpec) -> None:
    """Everything about the network as it is configured."""
    side, content = panel.columns()
    try:
        with side:
            configured = network_choice.choose(section, spec)
        with content:
            drawn = overview.of(section, configured)
            if not compared(section, spec):
                totals(drawn.totals)
                drawings.show(drawn.figures)
                block_links.show(drawn.blocks)
            layer_table.show(drawn.table, configured)
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


def totals(found: Totals) -> None:
    """The three sums that people compare networks by."""
    columns = st.columns(3)
    columns[0].metric("Parameters", f"{found.params:,}")
    columns[1].metric(
        "Multiply-accumulates",
        engineering(found.macs),
        help=f"{found.macs:,} for one picture, in convolutions and fully-connected layers.",
    )
    columns[2].metric(
        "Activations",
        f"{found.activation_bytes / 1e6:,.2f} MB",
        help="The outputs of all layers for one picture, 4 bytes a value.",
    )
    if found.head_params:
        st.caption(
            f"{found.head_params:,} parameters and {found.head_macs:,} multiply-accumulates of "
            "these are the auxiliary heads', which run in training only."
        )


def source(section: Section, spec: NetworkSpec) -> None:
    """The code that built the model above."""
    st.subheader("The code", anchor=False)
    for file in section.source_files(spec):
        with st.expander(f"cnnlab/networks/{file.name}", icon=":material/code:"):
            st.code(file.read_text(encoding="utf-8"), language="python")
