"""What the Architecture view draws of a network, made once for all visitors."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import streamlit as st

from cnnlab import diagrams
from cnnlab.catalog import NETWORKS, Section
from cnnlab.kept import Kept
from cnnlab.summary import Summary, layers
from cnnlab.trace import trace_of
from pages.components import block_links
from pages.components.layer_table import LayerTable
from pages.components.network_choice import Configured

# Some three hundred networks of the size of the chapter's.
MOST_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Totals:
    """Sums over all layers; those of auxiliary heads, which are part of them, once more."""

    params: int
    macs: int
    activation_bytes: int
    head_params: int
    head_macs: int

    @classmethod
    def of(cls, summary: Summary) -> Self:
        """The sums of these layers."""
        heads = [layer for layer in summary.layers if layer.training_only]
        return cls(
            params=summary.params,
            macs=summary.macs,
            activation_bytes=summary.activation_bytes,
            head_params=sum(layer.params for layer in heads),
            head_macs=sum(layer.macs for layer in heads),
        )


@dataclass(frozen=True)
class Overview:
    """Totals, figures, the last layer with maps of every block, and the layers."""

    totals: Totals
    figures: tuple[diagrams.Figure, ...]
    blocks: Mapping[str, str]
    table: LayerTable

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        return self.table.nbytes + sum(len(figure.source) for figure in self.figures)


def of(section: Section, configured: Configured) -> Overview:
    """What is drawn of a network as it is configured; the last ones are kept.

    Raises: ConfigError where there is no such network.
    """
    key = (section.slug, configured.spec, configured.options, configured.image_size)
    return kept().get(key, lambda: make(section, configured))


@st.cache_resource(show_spinner=False)
def kept() -> Kept[Overview]:
    return Kept(MOST_BYTES, lambda overview: overview.nbytes)


def make(section: Section, configured: Configured) -> Overview:
    """Trace the network, and draw what it consists of."""
    found = configured.trace
    summary = layers(found)
    traces = {configured.spec.name: found}
    for name in section.beside:
        if name not in traces:
            spec = NETWORKS[name]
            traces[name] = trace_of(spec, spec.presets["d2l"], spec.book.image_size)
    return Overview(
        Totals.of(summary),
        tuple(diagrams.figures(section.slug, traces)),
        MappingProxyType(block_links.last_layers(found)),
        LayerTable.of(summary),
    )
