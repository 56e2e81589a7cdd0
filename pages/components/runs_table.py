"""The list of runs and groups: what is in it, in which order, and which rows are ticked."""

import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.catalog import NETWORKS
from cnnlab.datasets import DATASETS
from cnnlab.runs.arms import spread
from cnnlab.runs.entries import Entry
from cnnlab.runs.latest import Latest
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
SELECTED, OPENED = "runs.selected", "runs.opened"
ROW_PX, MOST_ROWS = 35, 8


def filtered(found: Sequence[Entry]) -> list[Entry]:
    """The entries that match what the reader asks for; a group does where one of its runs does."""
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

    def matches(run: RunRecord) -> bool:
        return text.strip().lower() in f"{run.group_name or ''}\n{run.name}".lower() and all(
            value in (None, getattr(run, field)) for field, value in wanted.items()
        )

    return [entry for entry in found if any(map(matches, entry.runs))]


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


def pick(listed: Sequence[Entry]) -> list[Entry]:
    """Draw the list; returns the entries whose rows are ticked, the first one to begin with."""
    if not listed:
        st.info("No run matches. Clear a filter to see more.", icon=":material/filter_alt_off:")
        return []
    shown = rows(listed)
    remembered: Any = state.get(SELECTED)
    ticked = [
        place
        for place, entry in enumerate(shown)
        if (place == 0 if remembered is None else entry.id in remembered)
    ]
    latest = services.store().latest([run.id for entry in listed for run in entry.runs])
    # Ticks are row numbers: another list is another table, or they would move to other runs.
    key = f"runs.table.{zlib.crc32(' '.join(entry.id for entry in shown).encode()):x}"
    event = st.dataframe(
        [cells(entry, latest) for entry in shown],
        height=ROW_PX * (min(len(shown), MOST_ROWS) + 1) + 3,
        hide_index=True,
        column_config=columns(),
        placeholder="–",
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": ticked}},
        alt="Your runs",
    )
    chosen = [shown[row] for row in sorted(event.selection.rows) if row < len(shown)]
    state.put(SELECTED, [entry.id for entry in chosen])
    # Runs of a ticked group are ticked with it.
    groups = {entry.group for entry in chosen if entry.group}
    return [entry for entry in chosen if entry.group or entry.runs[0].group_id not in groups]


def rows(listed: Sequence[Entry]) -> list[Entry]:
    """What the list shows: the runs of an opened group stand below it."""
    opened: Any = state.get(OPENED, ())
    return [
        row
        for entry in listed
        for row in (entry, *(Entry((run,)) for run in entry.runs if entry.group in opened))
    ]


def is_opened(group: Entry) -> bool:
    """Whether the list shows the runs of a group."""
    opened: Any = state.get(OPENED, ())
    return group.id in opened


def turn(group: Entry) -> None:
    """Show the runs of a group in the list, or no longer."""
    opened: Any = state.get(OPENED, ())
    state.put(OPENED, sorted({*opened} ^ {group.id}))


def columns() -> dict[str, Any]:
    """How the columns look; what tells most comes first, for a phone shows no more than that."""
    return {
        "status": st.column_config.TextColumn("Status", width=95),
        "accuracy": st.column_config.NumberColumn(
            "Test",
            format="%.1f %%",
            width=72,
            help="Last test accuracy; of a group, the mean over its finished runs.",
        ),
        "name": st.column_config.TextColumn(
            "Name", width=330, help="★ stays at the top, ▸ is a group of runs"
        ),
        "network": st.column_config.TextColumn("Network", width="small"),
        "dataset": st.column_config.TextColumn("Data set", width="small"),
        "epochs": st.column_config.NumberColumn("Epochs", format="%.3g", width="small"),
        "seconds": st.column_config.NumberColumn("Time", format="%.0f s", width="small"),
        "when": st.column_config.DatetimeColumn(
            "When", format="D MMM YYYY, HH:mm", timezone=st.context.timezone, width="medium"
        ),
    }


def cells(entry: Entry, latest: Mapping[str, Latest]) -> dict[str, object]:
    """An entry as a row."""
    found = [latest.get(run.id, Latest(run.status)) for run in entry.runs]
    counted = [one for one in found if one.status == "finished"] if entry.group else found
    mean = spread([one.test_accuracy for one in counted if one.test_accuracy is not None])
    return {
        "status": status_text(entry),
        "accuracy": percent(mean.mean if mean else None),
        "name": ("★ " if entry.pinned and not is_child(entry) else "") + label(entry),
        "network": common([NETWORKS[run.network].title for run in entry.runs]),
        "dataset": common([DATASETS[run.dataset].title for run in entry.runs]),
        "epochs": max(one.epochs for one in found),
        "seconds": sum(one.seconds or 0 for one in found) or None,
        "when": datetime.fromtimestamp(entry.queued_s, UTC),
    }


def is_child(entry: Entry) -> bool:
    """Whether a run stands below its group."""
    return entry.group is None and entry.runs[0].group_id is not None


def label(entry: Entry) -> str:
    """The name; of a run below its group only what sets it apart from the others."""
    if entry.group:
        return f"{'▾' if is_opened(entry) else '▸'} {entry.name} · {len(entry.runs)} runs"
    if is_child(entry):
        return f"\N{EM SPACE}{entry.name.removeprefix(f'{entry.runs[0].group_name}, ')}"
    return entry.name


def status_text(entry: Entry) -> str:
    """One word for a run; for a group that goes on or ended in several ways, how far it came."""
    word = STATUS.get(entry.status, entry.status)
    finished = sum(run.status == "finished" for run in entry.runs)
    if entry.active and entry.ended:
        return f"{entry.ended} of {len(entry.runs)}"
    return word if finished in (0, len(entry.runs)) else f"{finished} of {len(entry.runs)}"


def common(values: Sequence[str]) -> str:
    """The value that all share, or that there are several."""
    return values[0] if len(set(values)) == 1 else "several"


def percent(share: float | None) -> float | None:
    """A share in hundredths, None where there is no number."""
    return None if share is None else 100 * share
