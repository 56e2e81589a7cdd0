"""Runs side by side: their curves in one chart, and what sets their settings apart."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import streamlit as st

from cnnlab.catalog import NETWORKS
from cnnlab.datasets import DATASETS
from cnnlab.runs.comparison import USED, cautions, flatten, run_differences
from cnnlab.runs.store import ACTIVE, Curve, RunRecord
from cnnlab.words import words
from pages.components import (
    charts,
    curve_charts,
    curve_legend,
    curves,
    follow,
    right_and_wrong,
    run_colours,
    run_names,
    runs_table,
    services,
)

AXES = {"epoch": "Epoch", "step": "Step", "seconds": "Seconds"}
LABELS = {
    "dataset": "Data set",
    "budget_s": "Time budget in seconds",
    "flip": "Flip pictures",
    "crop": "Shift pictures",
    "color": "Change colours",
    "device.": "Device used",
    "precision.": "Precision used",
    "layout.": "Memory layout used",
    "params.": "Parameters",
    "torch.": "PyTorch",
    "torchvision.": "torchvision",
}
LINES = {"both": "Both", "test": "Test", "training": "Training"}
ENVIRONMENT = ("device", "precision", "layout", "params", "torch", "torchvision", "python")


def show(runs: Sequence[RunRecord]) -> None:
    """Curves, figures and settings of the ticked runs."""
    if not runs:
        st.info("Tick one run to look at it, several to compare them.", icon=":material/check_box:")
        return
    most = len(charts.SERIES)
    if len(runs) > most:
        st.caption(f"{len(runs)} runs are ticked; the first {most} are drawn.")
    runs = runs[:most]
    overlaid(runs)
    if len(runs) > 1:
        apart(runs)
    else:
        alone(runs[0])


def overlaid(runs: Sequence[RunRecord]) -> None:
    """Loss and accuracy of all runs, one colour each."""
    row = st.container(horizontal=True)
    axis = row.segmented_control(
        "Against",
        list(AXES),
        default="epoch",
        format_func=AXES.__getitem__,
        required=True,
        key="runs.axis",
    )
    lines = row.segmented_control(
        "Lines",
        list(LINES),
        default="both",
        format_func=LINES.__getitem__,
        required=True,
        key="runs.lines",
    )
    colours = run_colours.colours(runs)
    curve_legend.show(runs, colours)
    names = run_names.distinct(runs)
    drawn = [
        curve_charts.DrawnRun(names[run.id], services.curve(run), colours[run.id])
        for run in runs
        if curve_legend.is_shown(run)
    ]
    for place, measure in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        place.plotly_chart(
            curve_charts.chart(drawn, measure, axis or "epoch", lines or "both"),
            config=charts.PLAIN,
            key=f"runs.chart.{measure}",
        )
    note = {
        "both": curve_charts.LINES_NOTE,
        "test": "",
        "training": "Smoothed; what was measured is faint behind.",
    }[lines or "both"]
    if not any(run.curve.steps or run.curve.test_steps for run in drawn):
        note = "Nothing was measured yet."
    elif any(missing(run.curve) for run in drawn):
        note += " A gap is a loss that was no number any more: the run diverged there."
    st.caption(note)


def missing(curve: Curve) -> bool:
    """Whether a curve has a point that is not a number."""
    values = chain(curve.train_loss, curve.test_loss)
    return not all(charts.is_number(value) for value in values)


def apart(runs: Sequence[RunRecord]) -> None:
    """A row per run: how it ended, and the settings in which the runs differ."""
    st.subheader("What differs", anchor=False)
    found = run_differences(runs)
    names = list(dict.fromkeys(chain.from_iterable(found)))
    rows = [
        {
            "Run": run.name,
            "Test accuracy": runs_table.percent(result(run)),
            **{label(name): setting(fields, name) for name in names},
        }
        for run, fields in zip(runs, found, strict=True)
    ]
    if not names:
        st.caption("These runs have the same settings.")
    for caution in cautions(runs):
        st.warning(caution, icon=":material/balance:")
    st.dataframe(
        rows,
        height=35 * (len(rows) + 1) + 3,
        hide_index=True,
        column_config={
            "Run": st.column_config.TextColumn(width="medium"),
            "Test accuracy": st.column_config.NumberColumn(format="%.1f %%"),
        },
        placeholder="–",
        key="runs.differences",
        alt="Settings in which the runs differ",
    )


def result(run: RunRecord) -> float | None:
    """The last test accuracy."""
    return next(iter(services.store().curve(run.id).test_accuracy[-1:]), None)


def setting(fields: Mapping[str, object], name: str) -> str:
    """A setting's value; empty where the run's network has no such knob."""
    if name not in fields:
        return ""
    value = fields[name]
    if name in USED:
        return machine_text(value)
    titles: Any = {"network": NETWORKS, "dataset": DATASETS}.get(name, {})
    return titles[value].title if value in titles else value_text(value)


def value_text(value: object) -> str:
    """A value as a reader says it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:g}"
    return words(value) if isinstance(value, str) else str(value)


def alone(run: RunRecord) -> None:
    """How one run ended, its figures, and everything it was made with."""
    if run.status in ACTIVE:
        curves.status_line(run, services.curve(run))
    elif run.message:
        (st.error if run.status == "failed" else st.info)(run.message)
    follow.show({run.name: run}, "runs.follow", opened=False)
    right_and_wrong.show({run.name: run}, "runs.answers")
    st.subheader("Settings", anchor=False)
    fields = {name: value for name, value in flatten(run.config).items() if value is not None}
    knob_names = [name for name in fields if name in type(run.config.options).model_fields]
    left, right = st.columns(2)
    left.table(
        {label(name): setting(fields, name) for name in fields if name not in knob_names}, alt="Run"
    )
    right.table({label(name): setting(fields, name) for name in knob_names}, alt="Network")
    environment = {name: run.environment[name] for name in ENVIRONMENT if name in run.environment}
    machine = {label(f"{name}."): machine_text(value) for name, value in environment.items()}
    right.table({"Status": runs_table.STATUS.get(run.status, run.status), **machine}, alt="Machine")


def machine_text(value: object) -> str:
    """A value of the environment; names of devices and formats stay as they are."""
    if isinstance(value, str):
        return "CPU" if value == "cpu" else value
    return value_text(value)


def label(name: str) -> str:
    """What a field is called here; a dot at the end marks one of the environment."""
    return LABELS.get(name) or words(name.removesuffix("."))
