"""Shared by all visitors: the run manager, and curves that no longer change."""

import streamlit as st

from cnnlab.jobs import choose
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.store import ACTIVE, Curve, RunRecord, RunStore
from cnnlab.training.events import Measurement

# The kind of measurement that is drawn.
LAYERS = "layer_statistics"
# There are megabytes of them, and curves are drawn three times a second.
SO_FAR_S = 3.0


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


def layer_statistics(run: RunRecord) -> tuple[Measurement, ...]:
    """What was observed of a run's layers; of a run that has ended it is read once."""
    return _statistics_so_far(run.id) if run.status in ACTIVE else _ended_statistics(run.id)


@st.cache_resource(ttl=SO_FAR_S, max_entries=100, show_spinner=False)
def _statistics_so_far(run: str) -> tuple[Measurement, ...]:
    return tuple(store().measurements(run, LAYERS))


@st.cache_resource(max_entries=100, show_spinner=False)
def _ended_statistics(run: str) -> tuple[Measurement, ...]:
    return tuple(store().measurements(run, LAYERS))


@st.cache_resource(max_entries=500, show_spinner=False)
def _ended_curve(run: str) -> Curve:
    return store().curve(run)
