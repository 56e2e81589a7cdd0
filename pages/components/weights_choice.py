"""Whose weights the network has: fresh ones, or those of the reader's runs."""

from collections.abc import Sequence

import streamlit as st

from cnnlab.catalog import NETWORKS, NetworkSpec, Section
from cnnlab.runs.store import RunRecord
from pages.components import network_choice, run_names, services, state
from pages.components.maps_cache import Weights

FRESH = "fresh"
FRESH_TITLE = "Fresh, drawn from a seed"
SEED = "weights_seed"


def choose(section: Section, spec: NetworkSpec) -> Weights:
    """The network as the knobs or a run describe it. Raises: ConfigError."""
    runs = trained_runs(spec)
    names = {FRESH: FRESH_TITLE} | titles(list(runs.values()))
    # Streamlit takes what it does not know out of the address without a word.
    asked = st.query_params.get("weights", FRESH_TITLE)
    if asked not in names.values():
        st.warning(
            f"“{asked[:40]}” is not among your runs of this network: the weights are fresh.",
            icon=":material/link_off:",
        )
    chosen = st.selectbox(
        "Weights",
        list(names),
        format_func=names.__getitem__,
        key="weights",
        bind="query-params",
        help="Fresh weights are random. Weights of your own runs appear here after training.",
    )
    if chosen != FRESH:
        run = runs[chosen]
        return Weights(
            spec.name,
            run.config.options,
            run.config.image_size,
            path=str(run.weights),
            dataset=run.dataset,
        )
    with st.expander("The network", icon=":material/tune:"):
        seed = int(
            st.number_input("Seed of the weights", 0, 9999, 0, key=SEED, bind="query-params")
        )
        configured = network_choice.choose(section, spec)
    NETWORKS[spec.name].check_image_size(configured.options, configured.image_size)
    return Weights(spec.name, configured.options, configured.image_size, seed)


def trained_runs(spec: NetworkSpec) -> dict[str, RunRecord]:
    """The visitor's runs of a network that left weights, by id, the newest first."""
    found = services.store().runs(state.visitor(), network=spec.name)
    return {run.id: run for run in found if run.weights}


def titles(runs: Sequence[RunRecord]) -> dict[str, str]:
    """Name and test accuracy of each run, no two alike: Streamlit tells choices by their words."""
    found = run_names.distinct(runs)
    for run in runs:
        if (accuracy := run.figures.get("test_accuracy")) is not None:
            found[run.id] += f" · {accuracy:.1%}"
    return found
