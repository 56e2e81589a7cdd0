"""The layers of a network: what each costs as a chart, everything about each as a table."""

from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cnnlab.catalog import NetworkSpec
from cnnlab.layer_csv import layer_table_csv, shape_text
from cnnlab.summary import Summary
from cnnlab.trace import Trace
from pages.components import charts, layer_explained

HEIGHT_PX = 420
# The height of a name with its two bars, where there is room and where there are many layers.
WIDE_BARS_PX, NARROW_BARS_PX, ROOM_PX = 30, 17, 270
# The table is painted, so the browser cannot make room: a column is told how much it needs.
CHARACTER_PX, CELL_PX, HEADER_PX = 7.1, 20, 32
# Who has no mouse scrolls from here: something in the region has to take the focus.
SCROLLED = (
    '<div tabindex="0" style="font-size:0.875rem">'
    "From the input down to the output; scroll to see all layers.</div>"
)
NOTES = {
    "MACs": "Multiply-accumulates for one picture.",
    "Sees (pixels)": "Receptive field: pixels per side of the input that one value depends on. "
    "It can be wider than the picture.",
    "Memory (kB)": "The layer's output for one picture, in 1,000 bytes.",
}


def show(found: Trace, summary: Summary, spec: NetworkSpec) -> None:
    """Chart, table, totals and a download."""
    st.subheader("What each layer costs", anchor=False)
    chart = cost_per_layer(summary)
    # Every layer keeps its name; a deep network is scrolled through.
    height_px = chart.layout.height + 20
    with st.container(height=min(HEIGHT_PX, height_px), border=False):
        if height_px > HEIGHT_PX:
            st.html(SCROLLED)
        st.plotly_chart(
            chart,
            config=charts.PLAIN,
            key="cost",
            alt="Parameters and multiply-accumulates of every layer; the table below has them too.",
        )
    st.subheader("Layer by layer", anchor=False)
    table(found, summary)
    total, download = st.columns([3, 1], vertical_alignment="center")
    total.caption(
        f"{len(summary.layers)} layers · {summary.params:,} parameters · {summary.macs:,} MACs"
    )
    download.download_button(
        "Download CSV",
        layer_table_csv(summary),
        file_name=f"{spec.name}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def cost_per_layer(summary: Summary) -> go.Figure:
    """Parameters and multiply-accumulates of convolutions and fully-connected layers.

    Both as shares of the whole network.
    """
    # Normalization has hundreds of parameters where its neighbours have millions.
    layers = [layer for layer in summary.layers if layer.macs]
    figure = go.Figure()
    for title, colour, values, total in (
        ("parameters", charts.BLUE, [layer.params for layer in layers], summary.params),
        ("multiply-accumulates", charts.ORANGE, [layer.macs for layer in layers], summary.macs),
    ):
        figure.add_bar(
            y=[layer.name for layer in layers],
            x=[value / max(1, total) for value in values],
            name=title,
            orientation="h",
            marker_color=colour,
            customdata=values,
            hovertemplate="%{customdata:,} (%{x:.1%})",
        )
    figure.update_xaxes(tickformat=".0%", side="top", title="share of the whole", fixedrange=True)
    figure.update_yaxes(
        autorange="reversed", automargin=True, dtick=1, tickfont_size=11, fixedrange=True
    )
    bars_px = max(NARROW_BARS_PX * len(layers), min(WIDE_BARS_PX * len(layers), ROOM_PX))
    charts.layout(figure, height=110 + bars_px, bargap=0.15)
    figure.update_layout(hovermode="y unified", margin_t=90)
    return figure.update_layout(legend={"y": 1, "yref": "container", "yanchor": "top"})


# A fragment: a row is opened without running the page.
@st.fragment
def table(found: Trace, summary: Summary) -> None:
    """All layers, one a row; whole numbers are never cut off. A row that is marked is explained."""
    rows = frame(summary)
    st.dataframe(
        rows,
        hide_index=True,
        height=HEIGHT_PX,
        column_config={name: column(name, rows[name]) for name in rows},
        alt="Every layer with its shapes, parameters, multiply-accumulates and memory.",
        key=layer_explained.TABLE_KEY,
        on_select=partial(layer_explained.chosen, list(rows["Layer"])),
        selection_mode="single-row",
    )
    layer_explained.show(found, summary.layers)


def frame(summary: Summary) -> pd.DataFrame:
    """The rows of the table; what people look for first stands to the left."""
    return pd.DataFrame(
        [
            {
                "Layer": layer.name,
                "Kind": layer.kind,
                "Output": shape_text(layer.output_shape[1:], " × "),
                "Parameters": layer.params,
                "MACs": layer.macs,
                "Sees (pixels)": layer.receptive_field,
                "Memory (kB)": layer.activation_bytes / 1e3,
                "Input": shape_text(layer.input_shape[1:], " × "),
            }
            for layer in summary.layers
        ]
    )


def column(name: str, values: pd.Series) -> ColumnConfig:
    """A column that is as wide as its longest value."""
    width = column_px(name, [text(value) for value in values])
    if pd.api.types.is_numeric_dtype(values):
        form = "%.1f" if pd.api.types.is_float_dtype(values) else "localized"
        return st.column_config.NumberColumn(width=width, format=form, help=NOTES.get(name))
    return st.column_config.TextColumn(width=width)


def text(value: object) -> str:
    """A value as the table writes it, by its length."""
    if isinstance(value, float):
        return f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def column_px(name: str, texts: list[str]) -> int:
    """The width that the longest text needs, header included."""
    longest = max(map(len, texts), default=0)
    return round(max(CHARACTER_PX * longest + CELL_PX, CHARACTER_PX * len(name) + HEADER_PX))
