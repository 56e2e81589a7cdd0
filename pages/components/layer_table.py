"""The layers of a network: what each costs as a chart, everything about each as a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Self

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cnnlab.layer_csv import layer_table_csv, shape_text
from cnnlab.summary import Layer, Summary
from pages.components import charts, layer_explained
from pages.components.network_choice import Configured

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
COST_LAYOUT: dict[str, object] = {
    **charts.STYLE,
    "margin": {"l": 10, "r": 10, "t": 90, "b": 10},
    "legend": {"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top"},
    "hovermode": "y unified",
    "bargap": 0.15,
    "xaxis": {
        "title": {"text": "share of the whole"},
        "side": "top",
        "tickformat": ".0%",
        "fixedrange": True,
    },
    "yaxis": {
        "autorange": "reversed",
        "automargin": True,
        "dtick": 1,
        "tickfont": {"size": 11},
        "fixedrange": True,
    },
}
NOTES = {
    "MACs": "Multiply-accumulates for one picture.",
    "Sees (pixels)": "Receptive field: pixels per side of the input that one value depends on. "
    "It can be wider than the picture.",
    "Memory (kB)": "The layer's output for one picture, in 1,000 bytes.",
}


@dataclass(frozen=True)
class LayerTable:
    """The layers as they are sent: the same for all visitors, so nobody changes it.

    Units: `height_px` of the chart with room to scroll; `rows` has one for each of `names`.
    """

    chart: charts.Ready
    height_px: int
    rows: pd.DataFrame
    columns: Mapping[str, ColumnConfig]
    names: tuple[str, ...]
    sums: str
    csv: str

    @classmethod
    def of(cls, summary: Summary) -> Self:
        """Chart, table, totals and download of these layers."""
        rows = frame(summary)
        return cls(
            chart=cost_per_layer(summary),
            height_px=chart_px(summary) + 20,
            rows=rows,
            columns=MappingProxyType({name: column(name, rows[name]) for name in rows}),
            names=tuple(rows["Layer"]),
            sums=f"{len(summary.layers)} layers · {summary.params:,} parameters · "
            f"{summary.macs:,} MACs",
            csv=layer_table_csv(summary),
        )

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        return int(self.rows.memory_usage(deep=True).sum()) + 4 * len(self.csv)


def show(drawn: LayerTable, configured: Configured) -> None:
    """Chart, table, totals and a download."""
    st.subheader("What each layer costs", anchor=False)
    # Every layer keeps its name; a deep network is scrolled through.
    with st.container(height=min(HEIGHT_PX, drawn.height_px), border=False):
        if drawn.height_px > HEIGHT_PX:
            st.html(SCROLLED)
        st.plotly_chart(
            drawn.chart,
            config=charts.PLAIN,
            key="cost",
            alt="Parameters and multiply-accumulates of every layer; the table below has them too.",
        )
    st.subheader("Layer by layer", anchor=False)
    table(drawn, configured)
    total, download = st.columns([3, 1], vertical_alignment="center")
    total.caption(drawn.sums)
    download.download_button(
        "Download CSV",
        drawn.csv,
        file_name=f"{configured.spec.name}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def costly(summary: Summary) -> list[Layer]:
    """The layers of the chart, convolutions and fully-connected ones.

    Normalization has hundreds of parameters where its neighbours have millions.
    """
    return [layer for layer in summary.layers if layer.macs]


def chart_px(summary: Summary) -> int:
    """The height of the chart."""
    bars = len(costly(summary))
    return 110 + max(NARROW_BARS_PX * bars, min(WIDE_BARS_PX * bars, ROOM_PX))


def cost_per_layer(summary: Summary) -> charts.Ready:
    """Parameters and multiply-accumulates, both as shares of the whole network."""
    layers = costly(summary)
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": title,
            "marker": {"color": colour},
            "x": [value / max(1, total) for value in values],
            "y": [layer.name for layer in layers],
            "customdata": values,
            "hovertemplate": "%{customdata:,} (%{x:.1%})",
        }
        for title, colour, values, total in (
            ("parameters", charts.BLUE, [layer.params for layer in layers], summary.params),
            ("multiply-accumulates", charts.ORANGE, [layer.macs for layer in layers], summary.macs),
        )
    ]
    return charts.Ready({"data": bars, "layout": {**COST_LAYOUT, "height": chart_px(summary)}})


# A fragment: a row is opened without running the page.
@st.fragment
def table(drawn: LayerTable, configured: Configured) -> None:
    """All layers, one a row; whole numbers are never cut off. A row that is marked is explained."""
    st.dataframe(
        drawn.rows,
        hide_index=True,
        height=HEIGHT_PX,
        column_config=dict(drawn.columns),
        alt="Every layer with its shapes, parameters, multiply-accumulates and memory.",
        key=layer_explained.TABLE_KEY,
        on_select=partial(layer_explained.chosen, drawn.names),
        selection_mode="single-row",
    )
    layer_explained.show(drawn.names, configured)


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
