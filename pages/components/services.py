"""What all visitors share: the run manager and models that are expensive to build."""

import streamlit as st
from torch import nn

from cnnlab import catalog
from cnnlab.networks.options import Options
from cnnlab.summary import Summary, summarize
from cnnlab.training import weights
from cnnlab.training.engines import LocalEngine
from cnnlab.training.runs import RunManager, Settings
from cnnlab.training.store import RunStore


@st.cache_resource(show_spinner=False)
def run_manager() -> RunManager:
    """The one queue of this server."""
    settings = Settings.from_environment()
    return RunManager(RunStore.open_default(), LocalEngine(settings), settings)


def store() -> RunStore:
    """Where pages read runs and their curves."""
    return run_manager().store


@st.cache_resource(max_entries=64, show_spinner=False)
def outline(network: str, _options: Options, options_json: str) -> nn.Module:
    """A network without weights, for its shapes."""
    return catalog.NETWORKS[network].build(_options, device="meta")


@st.cache_data(max_entries=256, show_spinner=False)
def layer_table(network: str, _options: Options, options_json: str, image_size: int) -> Summary:
    """The layer table for one square picture."""
    model = outline(network, _options, options_json)
    return summarize(model, (1, _options.in_channels, image_size, image_size))


# Few, because the widest hold half a gigabyte each.
@st.cache_resource(max_entries=3, show_spinner="Drawing the weights…")
def fresh_model(network: str, _options: Options, options_json: str, seed: int) -> nn.Module:
    """A network with random weights."""
    return weights.fresh(network, _options, seed)


@st.cache_resource(max_entries=3, show_spinner="Loading the weights…")
def trained_model(path: str) -> nn.Module:
    """A network with the weights of a run."""
    from pathlib import Path

    return weights.load(Path(path))[0]
