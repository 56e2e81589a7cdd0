"""What sets the page's network apart from another: totals, layers, both diagrams."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cnnlab import configuration as settings
from cnnlab import diagrams
from cnnlab.configuration import Configuration, network_settings
from cnnlab.diagrams.marks import MARKS
from cnnlab.difference import Difference, Quantity, Row, Side, difference
from cnnlab.kept import Kept
from cnnlab.layer_csv import shape_text
from cnnlab.runs.phrases import value_text
from cnnlab.trace import trace_of
from cnnlab.validated import counted
from cnnlab.words import inside, words
from pages.components import drawings, layer_table
from pages.components.magnitudes import engineering

ROW_PX, MOST_PX = 35, 420
# A hundred comparisons of networks of the size of the chapter's.
MOST_BYTES = 16 * 2**20
QUANTITIES: dict[Quantity, tuple[str, float]] = {
    "params": ("Parameters", 1),
    "macs": ("MACs", 1),
    "activation_bytes": ("Memory (kB)", 1e3),
}
LEGEND = " · ".join(f"{mark.sign} {mark.word}" for mark in MARKS.values())
# Less than this is little of a megabyte.
SMALL_BYTES = 100_000
SWITCH = {True: "on", False: "off"}


@dataclass(frozen=True)
class Rows:
    """Layers side by side, as they are sent."""

    table: pd.DataFrame
    columns: Mapping[str, ColumnConfig]

    @classmethod
    def of(cls, shown: Sequence[Row]) -> Self:
        """The table of some layers."""
        table = frame(shown)
        columns = {name: layer_table.column(name, table[name]) for name in table}
        return cls(table, MappingProxyType(columns))


@dataclass(frozen=True)
class Comparison:
    """Two networks held against each other: the same for all visitors, so nobody changes it.

    `totals` before and now; `tally` says how many layers differ, if `differing` has some.
    """

    totals: Mapping[Quantity, tuple[int, int]]
    tally: str
    differing: Rows
    every: Rows
    figures: tuple[tuple[diagrams.Figure, ...], ...]

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        tables = (self.differing.table, self.every.table)
        texts = sum(len(figure.source) for row in self.figures for figure in row)
        return texts + sum(int(table.memory_usage(deep=True).sum()) for table in tables)


def of(now: Configuration, against: Configuration) -> Comparison:
    """What sets two networks apart; the last comparisons are kept.

    Raises: CnnLabError where one cannot be built.
    """
    key = tuple((one.network, one.options, one.image_size) for one in (now, against))
    return kept().get(key, lambda: make(now, against))


@st.cache_resource(show_spinner=False)
def kept() -> Kept[Comparison]:
    return Kept(MOST_BYTES, lambda comparison: comparison.nbytes)


def make(now: Configuration, against: Configuration) -> Comparison:
    """Hold the networks against each other, and draw both."""
    before, after = (trace_of(x.spec, x.options, x.image_size) for x in (against, now))
    found = difference(before, after)
    pairs = diagrams.compared((against.network, before), (now.network, after), found.changes)
    return Comparison(
        totals=MappingProxyType({quantity: found.totals(quantity) for quantity in QUANTITIES}),
        tally=tally(found),
        differing=Rows.of(found.differing),
        every=Rows.of(found.rows),
        figures=tuple(map(tuple, pairs)),
    )


def show(now: Configuration, against: Configuration) -> None:
    """Totals, layers and diagrams of both. Raises: CnnLabError where one cannot be built."""
    found = of(now, against)
    totals(found)
    st.caption(knobs_said(now, against))
    rows(found)
    if len(found.differing.table):
        st.caption(f"In the table and on the boxes: {LEGEND}.")
    for kind, row in zip(("network", "block"), found.figures, strict=False):
        drawings.show(row, kind)


def totals(found: Comparison) -> None:
    """The three sums, and by how much they differ."""
    titles: dict[Quantity, str] = {
        "params": "Parameters",
        "macs": "Multiply-accumulates",
        "activation_bytes": "Activations",
    }
    for column, (quantity, title) in zip(st.columns(3), titles.items(), strict=True):
        before, after = found.totals[quantity]
        change = after - before
        column.metric(
            title,
            said(quantity, after),
            delta=f"{signed(quantity, change)}{factor(before, after)}" if change else "the same",
            delta_color="off",
            delta_arrow="auto" if change else "off",
            help=f"{exact(quantity, before)} before, {exact(quantity, after)} now.",
        )


def said(quantity: Quantity, value: float) -> str:
    """A total as it is read at a glance."""
    if quantity == "activation_bytes":
        return f"{value / 1e6:,.2f} MB"
    return f"{value:,.0f}" if quantity == "params" else engineering(value)


def exact(quantity: Quantity, value: int) -> str:
    """A total to the digit."""
    return f"{value:,}" + (" bytes" if quantity == "activation_bytes" else "")


def signed(quantity: Quantity, change: int) -> str:
    """A difference of totals; Streamlit reads its direction from the first character."""
    size = said(quantity, abs(change))
    if quantity == "activation_bytes" and abs(change) < SMALL_BYTES:
        size = f"{abs(change) / 1e3:,.3g} kB"
    return f"{'+' if change > 0 else '-'}{size}"


def factor(before: int, after: int) -> str:
    """How many times as much, or how many percent where it is little; nothing of nothing."""
    if not before or not after:
        return ""
    times = after / before
    if 0.9 < times < 1.1:
        return f" ({100 * (times - 1):+.2g}%)"
    return f" (× {times:,.0f})" if times >= 100 else f" (× {times:.3g})"


def knobs_said(now: Configuration, against: Configuration) -> str:
    """The knobs that are set otherwise, before and now; of another network, its name."""
    sides = f"Before: {against.spec.title}, {inside(words(against.preset))}"
    if now.network != against.network:
        return f"{sides}. Now: {now.spec.title}. Layers are matched by their names."
    turned = [
        f"{label(now, name)} {value(against, name)} → {value(now, name)}"
        for name in network_settings(now.spec)
        if now.values[name] != against.values[name]
    ]
    if not turned:
        return "Both are the same network. Change a knob, and see what it does."
    return f"What is set otherwise: {', '.join(turned)}."


def label(chosen: Configuration, name: str) -> str:
    """What a setting is called, inside a sentence."""
    return inside(settings.setting(chosen.spec, name).title or words(name))


def value(chosen: Configuration, name: str) -> str:
    """A setting's value in words; of a list of counts, the counts."""
    found = chosen.values[name]
    if allowed := counted(settings.setting(chosen.spec, name)):
        return "-".join(map(str, allowed.numbers(chosen.options, name)))
    return SWITCH[found] if isinstance(found, bool) else value_text(name, found)


def rows(found: Comparison) -> None:
    """The layers side by side; at first those in which something differs."""
    differing = len(found.differing.table)
    st.subheader("What changes, layer by layer", anchor=False)
    counted, switch = st.columns([2, 1], vertical_alignment="center")
    counted.caption(found.tally)
    everything = switch.toggle("Also what stays the same", key="all_layers", disabled=not differing)
    shown = found.every if everything else found.differing
    if not len(shown.table):
        return
    st.dataframe(
        shown.table,
        hide_index=True,
        height=min(ROW_PX * (len(shown.table) + 1) + 3, MOST_PX),
        column_config=dict(shown.columns),
        alt="Every layer that differs, with its output, parameters, compute and memory in both "
        "networks.",
    )


def tally(found: Difference) -> str:
    """How many layers are new, gone, changed and the same."""
    counts = {
        word: sum(row.change == change for row in found.rows)
        for change, word in {**{c: m.word for c, m in MARKS.items()}, "same": "the same"}.items()
    }
    return " · ".join(f"{count} {word}" for word, count in counts.items() if count)


def frame(shown: Sequence[Row]) -> pd.DataFrame:
    """The rows of the table: what a layer is and makes, and what it costs, before and now."""
    return pd.DataFrame([dict(cells(row)) for row in shown])


def cells(row: Row) -> Iterator[tuple[str, object]]:
    """One row of the table, cell by cell."""
    mark = MARKS.get(row.change)
    sides = row.before, row.after
    costs = {
        title: [value if unit == 1 else value / unit for value in row.values(quantity)]
        for quantity, (title, unit) in QUANTITIES.items()
    }
    yield "Layer", row.name
    yield "Change", f"{mark.sign} {mark.word}" if mark else ""
    yield "Output", arrow(*(output(side) for side in sides))
    # What it comes to is seen without scrolling to the side.
    for title, (before, after) in costs.items():
        yield f"{title} ±", after - before
    yield "What it is", arrow(*(side.words if side else "" for side in sides))
    for title, (before, after) in costs.items():
        yield f"{title} before", before
        yield f"{title} now", after


def output(side: Side | None) -> str:
    """The shape that a layer makes, without the batch."""
    return shape_text(side.layer.output_shape[1:], " × ") if side else ""


def arrow(before: str, after: str) -> str:
    """Both where they differ, or the one that there is."""
    return f"{before} → {after}" if before and after and before != after else after or before
