"""How a group of runs stands: one line of progress, the spread of what it reached, what failed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from cnnlab.runs.arms import Arm, arms, spread
from cnnlab.runs.entries import Entry
from cnnlab.runs.latest import Latest
from cnnlab.runs.store import ACTIVE, RunRecord
from cnnlab.training.config import RunConfig
from pages.components import charts, group_charts, run_names, services
from pages.components.durations import duration
from pages.components.markdown import escaped
from pages.components.runs_table import ROW_PX

ENDINGS = {
    "finished": "Finished",
    "cancelled": "Stopped",
    "failed": "Ended with failures",
    "interrupted": "Interrupted: the server was stopped",
}


def show(entries: Sequence[Entry]) -> None:
    """Progress, curves and results of groups, beside each other and beside single runs."""
    runs = [run for entry in entries for run in entry.runs]
    latest = services.store().latest([run.id for run in runs])
    for entry in entries:
        if entry.group:
            share, text = progress(entry, latest)
            st.progress(share, text if len(entries) == 1 else f"{escaped(entry.name)}: {text}")
    most = len(charts.SERIES)
    found = arms(runs)
    if len(found) > most:
        st.caption(f"{len(found)} settings are ticked; the first {most} are drawn.")
    named = list(zip(found[:most], labels(found[:most]), strict=True))
    draw(named)
    results(named, latest)
    failures(runs)


def progress(entry: Entry, latest: Mapping[str, Latest]) -> tuple[float, str]:
    """Which share of all runs is done, and in words how many runs are."""
    done = sum(
        1.0 if run.status not in ACTIVE else share_done(run.config, latest[run.id])
        for run in entry.runs
        if run.id in latest
    )
    share, size = min(1.0, done / len(entry.runs)), len(entry.runs)
    if not entry.active:
        finished = sum(run.status == "finished" for run in entry.runs)
        return share, f"{ENDINGS[entry.status]} · {finished} of {size} runs came to their end"
    left_s = services.run_manager().group_time_left_s(entry.id)
    left = f" · {duration(left_s)} left" if left_s else ""
    going = sum(run.status == "running" for run in entry.runs)
    now = f"{going} going on" if going else "waiting for a free place"
    return share, f"{entry.ended} of {size} runs done · {now}{left}"


def share_done(config: RunConfig, latest: Latest) -> float:
    """How much of a run is done, of its epochs or of its time, whichever ends first."""
    of_time = (latest.seconds or 0.0) / config.budget_s if config.budget_s else 0.0
    return min(1.0, max(of_time, latest.epochs / config.epochs))


def labels(found: Sequence[Arm]) -> list[str]:
    """What sets each arm apart from the others."""
    if len(found) == 1:
        return ["All seeds"]
    # Arms differ in more than their seeds; the name of a group stands for those of its runs.
    first = [arm.runs[0] for arm in found]
    shown = [
        replace(run, name=run.group_name or run.name, config=run.config.replace(seed=0))
        for run in first
    ]
    names = run_names.labels(shown)
    return [names[run.id].short for run in shown]


def draw(named: Sequence[tuple[Arm, str]]) -> None:
    """Loss on the left, accuracy on the right."""
    drawn = [
        group_charts.ArmCurves(
            name,
            [services.curve(run) for run in arm.finished],
            [services.curve(run) for run in arm.runs if run.status != "finished"],
        )
        for arm, name in named
    ]
    epochs = max(arm.runs[0].config.epochs for arm, _ in named)
    for place, measure in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        place.plotly_chart(
            group_charts.chart(drawn, measure, epochs), config=charts.PLAIN, key=measure
        )
    of_test = "Lines are of the test set. " if len(named) > 1 else ""
    st.caption(
        f"{of_test}Thick: the mean of the finished runs. Band: from the lowest to the highest of "
        "them. Faint: every run."
    )


def results(named: Sequence[tuple[Arm, str]], latest: Mapping[str, Latest]) -> None:
    """A row for each arm: what its finished runs reached on the test set."""
    st.dataframe(
        [{"Runs": name, **reached(arm, latest)} for arm, name in named],
        height=ROW_PX * (len(named) + 1) + 3,
        hide_index=True,
        placeholder="–",
        key="group.results",
        alt="Test accuracy over the seeds",
        column_config={
            "Test accuracy": st.column_config.TextColumn(
                help="Mean and standard deviation over the finished runs"
            )
        },
    )


def reached(arm: Arm, latest: Mapping[str, Latest]) -> dict[str, str | None]:
    """The test accuracy of an arm's finished runs, in words."""
    values = [
        accuracy
        for run in arm.finished
        if run.id in latest and (accuracy := latest[run.id].test_accuracy) is not None
    ]
    mean = spread(values)
    deviation = f" ± {100 * mean.deviation:.1f}" if mean and mean.deviation is not None else ""
    return {
        "Test accuracy": f"{100 * mean.mean:.1f}{deviation} %" if mean else None,
        "Lowest to highest": f"{min(values):.1%} to {max(values):.1%}" if values else None,
        "Finished": f"{len(arm.finished)} of {len(arm.runs)}",
    }


def failures(runs: Sequence[RunRecord]) -> None:
    """Why runs did not come to their end; runs with one reason are told together."""
    reasons: dict[str, list[str]] = {}
    for run in runs:
        if run.status in ("failed", "interrupted") and run.message:
            reasons.setdefault(run.message, []).append(f"seed {run.config.seed}")
    for reason, which in reasons.items():
        st.error(f"{', '.join(which)}: {reason}", icon=":material/error:")
