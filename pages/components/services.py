"""Shared by all visitors: the run manager, and curves that no longer change."""

import streamlit as st

from cnnlab.jobs import choose
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.store import ACTIVE, Curve, RunRecord, RunStore


@st.cache_resource(show_spinner=False)
def run_manager() -> RunManager:
    """The one queue of this server."""
    settings = Settings.from_environment()
    return RunManager(RunStore.open_default(), choose.engine(settings), settings)


def store() -> RunStore:
    """Where pages read runs and their curves."""
    return run_manager().store


def curve(run: RunRecord) -> Curve:
    """The points of a run; those of one that has ended are kept."""
    return store().curve(run.id) if run.status in ACTIVE else _ended_curve(run.id)


@st.cache_resource(max_entries=500, show_spinner=False)
def _ended_curve(run: str) -> Curve:
    return store().curve(run)
