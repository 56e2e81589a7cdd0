"""What all visitors share: the run manager and models that are expensive to build."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from torch import nn

from cnnlab import catalog
from cnnlab.jobs import choose
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.manager import RunManager
from cnnlab.networks.options import Options
from cnnlab.runs.store import ACTIVE, Curve, RunRecord, RunStore
from cnnlab.training import checkpoint


def fingerprint(options: Options) -> str:
    """What Streamlit keys its caches by."""
    return f"{type(options).__name__} {options.model_dump_json()}"


# One entry per class: Streamlit looks the exact type up.
HASH: dict[str | type[Any], Callable[[Any], Any]] = {
    spec.options: fingerprint for spec in catalog.NETWORKS.values()
}


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


# Few, because the widest hold half a gigabyte each.
@st.cache_resource(max_entries=3, show_spinner="Drawing the weights…", hash_funcs=HASH)
def fresh_model(network: str, options: Options, image_size: int, seed: int) -> nn.Module:
    """A network with random weights."""
    return checkpoint.fresh(network, options, image_size, seed)


@st.cache_resource(max_entries=3, show_spinner="Loading the weights…")
def trained_model(path: str) -> nn.Module:
    """A network with the weights of a run."""
    return checkpoint.load(Path(path))[0]
