"""The Architecture view: knobs, figures, the layer table, what each layer costs, the code."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from cnnlab import diagrams
from cnnlab.catalog import NETWORKS, NetworkSpec, Section
from cnnlab.errors import CnnLabError
from cnnlab.layer_csv import layer_table_csv, shape_text
from cnnlab.networks.options import Options
from cnnlab.summary import Summary, layers
from cnnlab.trace import Trace, trace_of
from pages.components import charts, knobs, panel

PREFIX = "a"


@dataclass(frozen=True)
class Configured:
    """A network as the knobs describe it."""

    spec: NetworkSpec
    options: Options
    image_size: int

    @property
    def trace(self) -> Trace:
        return trace_of(self.spec, self.options, self.image_size)


def show(section: Section, spec: NetworkSpec) -> None:
    """Everything about the network as it is configured."""
    side, content = panel.columns()
    try:
        with side:
            configured = configure(section, spec)
        with content:
            summary = layers(configured.trace)
            totals(summary)
            figures(section, configured)
            st.subheader("What each layer costs", anchor=False)
            st.plotly_chart(charts.cost_per_layer(summary), config=charts.PLAIN, key="cost")
            layer_table(summary, spec)
            source(section, spec)
    except CnnLabError as error:
        content.error(str(error), icon=":material/straighten:")


def configure(section: Section, spec: NetworkSpec) -> Configured:
    """The knobs of the network."""
    default = section.preset if section.preset in spec.presets else "d2l"
    knobs.preset_picker(spec, PREFIX, default)
    image_size = knobs.image_size_knob(spec, PREFIX, default)
    chosen = knobs.network_knobs(spec, PREFIX, spec.presets[default], section.main_knobs)
    return Configured(spec, spec.options(**chosen), image_size)


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


def engineering(number: float) -> str:
    """A large number with three digits and a word: 1.82 billion."""
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if number >= size:
            return f"{number / size:,.3g} {word}"
    return f"{number:,.0f}"


def figures(section: Section, configured: Configured) -> None:
    """The figures of the section, drawn from the models as configured."""
    traces = {configured.spec.name: configured.trace}
    for name in section.beside:
        if name not in traces:
            spec = NETWORKS[name]
            traces[name] = trace_of(spec, spec.presets["d2l"], spec.book.image_size)
    drawn = diagrams.figures(section.slug, traces)
    for place, figure in zip(st.columns(len(drawn)), drawn, strict=True):
        with place:
            st.subheader(figure.title, anchor=False)
            st.mermaid_chart(figure.source, alt=figure.title)
            st.caption(figure.caption)


def layer_table(summary: Summary, spec: NetworkSpec) -> None:
    """The table of all layers, with totals and a download."""
    st.subheader("Layer by layer", anchor=False)
    rows = [
        {
            "Layer": layer.name,
            "Kind": layer.kind,
            "Input": shape_text(layer.input_shape[1:], " × "),
            "Output": shape_text(layer.output_shape[1:], " × "),
            "Parameters": layer.params,
            "MACs": layer.macs,
            "Sees (pixels)": layer.receptive_field,
            "Memory (kB)": layer.activation_bytes / 1e3,
        }
        for layer in summary.layers
    ]
    number = st.column_config.NumberColumn(format="localized")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height=420,
        column_config={
            "Parameters": number,
            "MACs": st.column_config.NumberColumn(
                format="localized", help="Multiply-accumulates for one picture."
            ),
            "Sees (pixels)": st.column_config.NumberColumn(
                format="localized",
                help="Receptive field: pixels per side of the input that one value depends on. "
                "It can be wider than the picture.",
            ),
            "Memory (kB)": st.column_config.NumberColumn(
                format="%.1f", help="The layer's output for one picture, in 1,000 bytes."
            ),
        },
    )
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


def source(section: Section, spec: NetworkSpec) -> None:
    """The code that built the model above."""
    st.subheader("The code", anchor=False)
    files = [spec.source_file]
    if section.slug == "batch_norm":
        files.insert(0, spec.source_file.with_name("batch_norm.py"))
    for file in files:
        with st.expander(f"cnnlab/networks/{file.name}", icon=":material/code:"):
            st.code(file.read_text(encoding="utf-8"), language="python")
