"""Shared by all visitors: the run manager, and curves that no longer change."""

import streamlit as st

from cnnlab.jobs import choose
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.predicted import PredictedClasses
from cnnlab.runs.store import ACTIVE, Curve, RunRecord, RunStore
from cnnlab.training.events import Measurement

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


def measurements(run: RunRecord, kind: str) -> tuple[Measurement, ...]:
    """What one kind of probe observed in a run; of a run that has ended it is read once."""
    return _so_far(run.id, kind) if run.status in ACTIVE else _ended(run.id, kind)


def predicted(run: RunRecord) -> PredictedClasses | None:
    """What a run that has ended said of each test picture, where that was kept."""
    return _predicted(run.id)


@st.cache_resource(ttl=SO_FAR_S, max_entries=100, show_spinner=False)
def _so_far(run: str, kind: str) -> tuple[Measurement, ...]:
    return tuple(store().measurements(run, kind))


@st.cache_resource(max_entries=100, show_spinner=False)
def _ended(run: str, kind: str) -> tuple[Measurement, ...]:
    return tuple(store().measurements(run, kind))


@st.cache_resource(max_entries=500, show_spinner=False)
def _ended_curve(run: str) -> Curve:
    return store().curve(run)


@st.cache_resource(max_entries=100, show_spinner=False)
def _predicted(run: str) -> PredictedClasses | None:
    return store().predicted(run)
