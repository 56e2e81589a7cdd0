"""The Experiments view: the claims of a section, and the one that is open as a card."""

import streamlit as st

from cnnlab import experiments
from cnnlab.catalog import NetworkSpec, Section
from pages.components import experiment_card, experiment_runs, state
from pages.components.links import EXPERIMENT

# Part of the address, and what the address said last.
PART, ADDRESS = "experiment", "experiment.address"
INTRODUCTION = (
    "Each of these is a claim of the chapter. **Predict first**, then let it run over three seeds "
    "and read what the data say. Results stay here."
)


def show(section: Section, _spec: NetworkSpec) -> None:
    """The list of experiments, and the chosen one."""
    found = {one.id: one for one in experiments.of_section(section.slug)}
    states = experiment_runs.states(list(found.values()))
    follow(list(found))
    side, content = st.columns([2, 5], gap="medium")
    with side:
        st.caption(INTRODUCTION)
        chosen = st.radio(
            "Experiments",
            list(found),
            format_func=lambda name: found[name].question,
            captions=[states[name] for name in found],
            key=EXPERIMENT,
            label_visibility="collapsed",
        )
    if chosen != st.query_params.get(PART):
        st.query_params[PART] = chosen
    state.put(ADDRESS, chosen)
    with content:
        experiment_card.show(found[chosen])


def follow(names: list[str]) -> None:
    """Open the experiment that the address names, where a link or the browser's Back brought it.

    A widget that is bound to the address would write the whole question there.
    """
    asked = st.query_params.get(PART)
    if asked in names and asked != state.get(ADDRESS):
        state.put(EXPERIMENT, asked)
    elif state.get(EXPERIMENT) not in names:
        state.put(EXPERIMENT, names[0])
