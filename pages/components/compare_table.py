"""The table of all networks, and the same as bubbles; both fill in as speeds become known."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from cnnlab.compare import published
from cnnlab.compare.contenders import Size
from cnnlab.compare.rows import Row, reached_here, rows
from cnnlab.datasets import DATASETS
from cnnlab.runs.store import RunRecord
from cnnlab.words import inside
from pages.components import bubble_chart, charts, services, state
from pages.components.bubble_chart import MEASURES, milliseconds
from pages.components.network_chart import SCREENS_PX
from pages.components.runs_table import ROW_PX, percent

TICK_S = 1.5
# Among so many finished runs the best is looked for.
MOST_RUNS = 500
MEASURE = "compare.measure"
# What is known of most of them.
UP: dict[Size, str] = {"small": "accuracy", "full": "params"}
SPEEDS = (
    "Milliseconds a picture are measured on this machine, in a few steps on made-up pictures, one "
    "network after the other and only while nobody trains."
)


def own_runs() -> list[RunRecord]:
    """The visitor's finished runs."""
    return services.store().runs(state.visitor(), status="finished", limit=MOST_RUNS)


def show(size: Size, dataset: str, runs: Sequence[RunRecord]) -> None:
    """Table and bubbles; asked for again as long as a speed is not known."""
    if size == "full":
        st.toggle(
            "Measure their speed",
            key=MEASURE,
            help="Tries each of them with a few pictures. On a CPU that takes minutes and up to "
            "two gigabytes; runs come first.",
        )
    speeds = services.run_manager().estimate if size == "small" or state.get(MEASURE) else None
    is_known = speeds is None or all_known(rows(size, dataset, runs, speeds))
    st.fragment(panel, run_every=None if is_known else TICK_S)(size, dataset, runs, is_known)


def all_known(found: Sequence[Row]) -> bool:
    """Whether there is nothing left to measure."""
    return all(row.predict_s is not None or row.problem for row in found)


def panel(size: Size, dataset: str, runs: Sequence[RunRecord], was_known: bool) -> None:
    """All of it as it stands."""
    wanted = size == "small" or bool(state.get(MEASURE))
    manager = services.run_manager()
    manager.seen(state.visitor())
    found = rows(size, dataset, runs, manager.estimate if wanted else None)
    if wanted and all_known(found) and not was_known:
        st.rerun()  # to be asked no more
    table(found)
    st.caption(note(found, wanted))
    bubbles(found, size, DATASETS[dataset].title)


def table(found: Sequence[Row]) -> None:
    """A row for each network, sorted by a click on a column's head."""
    st.dataframe(
        [cells(row) for row in found],
        height=ROW_PX * (len(found) + 1) + 3,
        hide_index=True,
        placeholder="–",
        column_config=columns(),
        key="compare.table",
        alt="All networks: parameters, compute, memory, speed and accuracy.",
    )


def cells(row: Row) -> dict[str, object]:
    """A network as a row."""
    return {
        "network": row.contender.title,
        "accuracy": percent(row.reached.accuracy if row.reached else None),
        "params": row.params,
        "macs": row.macs,
        "memory": row.memory_bytes / 1e6,
        "predict": milliseconds(row.predict_s),
        "train": milliseconds(row.train_s),
        "input": row.image_size,
        "by": row.reached.by if row.reached else None,
    }


def columns() -> Mapping[str, Any]:
    """How the columns look; what tells most comes first."""
    number = st.column_config.NumberColumn
    return {
        "network": st.column_config.TextColumn("Network", width=165, pinned=True),
        "accuracy": number(
            "Test accuracy", format="%.1f %%", width=105, help="By whom stands in the last column."
        ),
        "params": number("Parameters", format="localized", width=98),
        "macs": number(
            "MACs",
            format="localized",
            width=118,
            help="Multiply-accumulates of convolutions and fully-connected layers, one picture.",
        ),
        "memory": number(
            "Memory, MB",
            format="%.2f",
            width=92,
            help="Weights, and the outputs of all layers for one picture, in single precision.",
        ),
        "predict": number(
            "Prediction, ms",
            format="%.3f",
            width=105,
            help="Forward pass of one picture, in batches of 64, measured on this machine.",
        ),
        "train": number(
            "Training, ms",
            format="%.3f",
            width=95,
            help="A training step divided by the pictures in it, measured on this machine.",
        ),
        "input": number("Input, px", format="%d", width=70),
        "by": st.column_config.TextColumn(
            "Accuracy by",
            width=175,
            help="Your best run with these very settings; else our mean over three seeds, with "
            "their range; else the median of the book's published builds, with the range of all "
            "but a tenth at each end.",
        ),
    }


def note(found: Sequence[Row], wanted: bool) -> str:
    """What the figures are, and what is still to come."""
    missing = sum(row.predict_s is None and not row.problem for row in found)
    coming = f" **{missing} are still to come.**" if wanted and missing else ""
    beside = ""
    if any(row.busy for row in found):
        beside = " Some were measured beside other work: they may well be faster."
    places = sorted({row.reached.where for row in found if row.reached and row.reached.where})
    ours = f" Accuracies by us: {'; '.join(places)}." if places else ""
    told = "".join(f" {row.contender.title}: {row.problem}" for row in found if row.problem)
    return (
        "Counts are of the network as it is built for this data set, for one picture. "
        f"{SPEEDS}{coming}{beside}{told}{ours}"
    )


def bubbles(found: Sequence[Row], size: Size, dataset: str) -> None:
    """The chart, with a choice of its axes."""
    names = list(MEASURES)
    row = st.container(horizontal=True)
    x, y = (
        row.selectbox(
            label,
            names,
            names.index(begin),
            format_func=lambda name: MEASURES[name].title,
            key=f"compare.{side}",
            bind="query-params",
            width=240,
        )
        for side, label, begin in (
            ("x", "To the right", "macs"),
            (f"y.{size}", "Up", UP[size]),
        )
    )
    shown = bubble_chart.bubbles(found, x, y)
    if not shown:
        st.info(
            f"Nothing to draw on {dataset} yet: of no network both are known, "
            f"{inside(MEASURES[y].title)} and {inside(MEASURES[x].title)}. Choose other measures, "
            "or another data set.",
            icon=":material/bubble_chart:",
        )
        return
    for screen in SCREENS_PX:
        st.plotly_chart(
            bubble_chart.chart(shown, x, y, screen),
            config=charts.PLAIN,
            key=f"networks_{screen}",
            alt=f"Every network as a bubble: {MEASURES[y].title} against {MEASURES[x].title}.",
        )
    absent = [
        one.contender.title for one in found if one.contender.title not in {b.title for b in shown}
    ]
    caption = "A bubble grows with the parameters: a step for each tenfold."
    if absent:
        caption += f" Not drawn, for a figure is not known: {', '.join(absent)}."
    st.caption(caption)


def published_figures(runs: Sequence[RunRecord]) -> None:
    """What the book and torchvision publish, beside what is counted and reached here."""
    st.subheader("Published, and here", anchor=False)
    st.markdown(
        "Where a network is built and trained here exactly as published. The book's accuracies are "
        "of Fashion-MNIST after ten epochs; one published figure is one draw, so a range says more."
    )
    found = [published_cells(one, runs) for one in published.PUBLISHED]
    st.dataframe(
        found,
        height=ROW_PX * (len(found) + 1) + 3,
        hide_index=True,
        placeholder="–",
        key="compare.published",
        alt="Published parameters and accuracies beside ours.",
        column_config={
            "Network": st.column_config.TextColumn(width=190, pinned=True),
            "Parameters, published": st.column_config.NumberColumn(format="localized"),
            "Parameters, here": st.column_config.NumberColumn(format="localized"),
        },
    )
    st.caption(
        "Range: 10th to 90th percentile over about a hundred published builds of the book. The "
        "book's parameters are those of its code, counted. Here: your best run with these very "
        "settings, else ours; a dash where nobody has trained it."
    )


def published_cells(one: published.Published, runs: Sequence[RunRecord]) -> dict[str, object]:
    """A published network as a row."""
    told = one.accuracy
    found = reached_here(one.contender.config(published.BOOK_DATASET), runs) if told else None
    return {
        "Network": one.contender.title,
        "Parameters, published": one.params,
        "Parameters, here": published.ours(one),
        "Accuracy, published": f"{told.median:.1%}" if told else None,
        "Range": f"{told.low:.1%} to {told.high:.1%}" if told else None,
        "Accuracy, here": f"{found.accuracy:.1%}, {found.by}" if found else None,
        "Source": one.source,
    }
