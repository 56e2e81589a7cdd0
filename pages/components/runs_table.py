"""The list of runs: what is in it, in which order, and which rows are ticked."""

import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.catalog import NETWORKS
from cnnlab.datasets import DATASETS
from cnnlab.runs.store import RunRecord
from pages.components import services, state

STATUS = {
    "queued": "Waiting",
    "running": "Running",
    "finished": "Finished",
    "cancelled": "Stopped",
    "failed": "Failed",
    "interrupted": "Interrupted",
}
SELECTED = "runs.selected"
ROW_PX, MOST_ROWS = 35, 8


def filtered(runs: Sequence[RunRecord]) -> list[RunRecord]:
    """The runs that match what the reader asks for."""
    row = st.container(horizontal=True)
    text = row.text_input(
        "Name contains",
        key="runs.find",
        bind="query-params",
        icon=":material/search:",
        width=240,
    )
    # All choices, not only those in use: a filter must not vanish with the last run it shows.
    networks = {name: spec.title for name, spec in NETWORKS.items()}
    datasets = {name: spec.title for name, spec in DATASETS.items()}
    wanted = {
        "network": choice(row, "network", "Network", networks),
        "dataset": choice(row, "dataset", "Data set", datasets),
        "status": choice(row, "status", "Status", STATUS),
    }
    return [
        run
        for run in runs
        if text.strip().lower() in run.name.lower()
        and all(value in (None, getattr(run, field)) for field, value in wanted.items())
    ]


def choice(row: DeltaGenerator, field: str, label: str, titles: Mapping[str, str]) -> str | None:
    """One value of a field, or None for all."""
    return row.selectbox(
        label,
        list(titles),
        None,
        format_func=titles.__getitem__,
        placeholder="All",
        key=f"runs.{field}",
        bind="query-params",
        width=160,
    )


def pick(runs: Sequence[RunRecord]) -> list[RunRecord]:
    """Draw the list; returns the runs whose rows are ticked, the first one to begin with."""
    if not runs:
        st.info("No run matches. Clear a filter to see more.", icon=":material/filter_alt_off:")
        return []
    remembered: Any = state.get(SELECTED)
    rows = [
        place
        for place, run in enumerate(runs)
        if (place == 0 if remembered is None else run.id in remembered)
    ]
    # Ticks are row numbers: another list is another table, or they would move to other runs.
    key = f"runs.table.{zlib.crc32(' '.join(run.id for run in runs).encode()):x}"
    event = st.dataframe(
        [cells(run) for run in runs],
        height=ROW_PX * (min(len(runs), MOST_ROWS) + 1) + 3,
        hide_index=True,
        column_config=columns(),
        placeholder="–",
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": rows}},
        alt="Your runs",
    )
    chosen = [runs[row] for row in sorted(event.selection.rows) if row < len(runs)]
    state.put(SELECTED, [run.id for run in chosen])
    return chosen


def columns() -> dict[str, Any]:
    """How the columns look."""
    return {
        "pinned": st.column_config.TextColumn("Pin", width=45, help="★ stays at the top"),
        "name": st.column_config.TextColumn("Name", width="medium"),
        "network": st.column_config.TextColumn("Network", width="small"),
        "dataset": st.column_config.TextColumn("Data set", width="small"),
        "status": st.column_config.TextColumn("Status", width="small"),
        "accuracy": st.column_config.NumberColumn("Test accuracy", format="%.1f %%", width=110),
        "epochs": st.column_config.NumberColumn("Epochs", format="%.3g", width="small"),
        "seconds": st.column_config.NumberColumn("Time", format="%.0f s", width="small"),
        "when": st.column_config.DatetimeColumn(
            "When", format="D MMM YYYY, HH:mm", timezone=st.context.timezone, width="medium"
        ),
    }


def cells(run: RunRecord) -> dict[str, object]:
    """A run as a row."""
    accuracy, epochs, seconds = (
        _figures(run.id) if run.ended_s is None else ended_figures(run.id, run.ended_s)
    )
    return {
        "pinned": "★" if run.pinned else "",
        "name": run.name,
        "network": NETWORKS[run.network].title,
        "dataset": DATASETS[run.dataset].title,
        "status": STATUS.get(run.status, run.status),
        "accuracy": percent(accuracy),
        "epochs": epochs,
        "seconds": seconds,
        "when": datetime.fromtimestamp(run.queued_s, UTC),
    }


def percent(share: float | None) -> float | None:
    """A share in hundredths, None where there is no number."""
    return None if share is None else 100 * share


@st.cache_data(max_entries=10_000, show_spinner=False)
def ended_figures(run: str, _ended_s: float) -> tuple[float | None, float, float | None]:
    """The figures of a run that cannot change any more."""
    return _figures(run)


def _figures(run: str) -> tuple[float | None, float, float | None]:
    """Last test accuracy, epochs done, and seconds."""
    curve = services.store().curve(run)
    seconds = max([*curve.seconds[-1:], *curve.test_seconds[-1:]], default=None)
    epochs = max([*curve.epochs[-1:], *curve.test_epochs[-1:]], default=0.0)
    return next(iter(curve.test_accuracy[-1:]), None), epochs, seconds
