"""Names of runs where several are listed, told apart in the reader's own time."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from cnnlab.runs.labels import Label, distinct_names
from cnnlab.runs.labels import labels as labels_in_zone
from cnnlab.runs.store import RunRecord


def distinct(runs: Sequence[RunRecord]) -> dict[str, str]:
    """What to call each run, by its id; no two the same."""
    return distinct_names(runs, zone())


def labels(runs: Sequence[RunRecord]) -> dict[str, Label]:
    """What to call each run, by its id, beside the others: by what differs."""
    return labels_in_zone(runs, zone())


def zone() -> ZoneInfo:
    """The reader's time zone."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")  # a server without this zone, or a browser that made one up
