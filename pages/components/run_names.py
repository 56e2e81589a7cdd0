"""Names of runs where several are listed, told apart in the reader's own time."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from cnnlab.runs.naming import distinct_names
from cnnlab.runs.store import RunRecord


def distinct(runs: Sequence[RunRecord]) -> dict[str, str]:
    """What to call each run, by its id; no two the same."""
    try:
        zone = ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")  # a server without this zone, or a browser that made one up
    return distinct_names(runs, zone)
