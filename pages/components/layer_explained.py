"""A row of the layer table opened: every number as a formula with the layer's numbers put in."""

from collections.abc import Sequence

import streamlit as st

from cnnlab.explain.layer_formulas import HEADER, Formula, as_markdown, formulas
from cnnlab.summary import layers
from pages.components import state
from pages.components.network_choice import Configured

KEY, TABLE_KEY = "explained_layer", "layer_rows"
ABOUT = (
    "n is the side before, p the padding, k the window, s the stride, c channels. A multiply-"
    "accumulate (MAC) is one weight times one value, added to a sum; everything is for one picture."
)


def chosen(names: Sequence[str]) -> None:
    """Take over the row that was marked in the table; for its callback."""
    rows = state.selected_rows(TABLE_KEY)
    state.put(KEY, names[rows[0]] if rows and rows[0] < len(names) else None)


def show(names: Sequence[str], configured: Configured) -> None:
    """The layer that was chosen, by its row or by its name; computed once it is."""
    if state.get(KEY) not in names:
        state.put(KEY, None)
    name = st.selectbox(
        "How a layer's numbers come about",
        names,
        index=None,
        key=KEY,
        placeholder="Choose a layer here, or its row in the table",
    )
    if name is None:
        return
    found = configured.trace
    layer = next(layer for layer in layers(found).layers if layer.name == name)
    rows = formulas(found, layer)
    with st.container(border=True, key="layer_formulas"):
        st.markdown(f"**`{layer.name}`** ({layer.kind})\n\n{drawn(rows)}")
        st.caption(ABOUT)
        with st.expander("Copy as Markdown", icon=":material/content_copy:"):
            st.code(as_markdown(layer, rows), language="markdown")


def drawn(rows: Sequence[Formula]) -> str:
    """The table as the page shows it: the numbers in type of one width."""
    lines = [f"| {r.name} | {r.rule} | `{r.numbers}` | **{r.value:,}** |" for r in rows]
    return "\n".join([HEADER, *lines])
