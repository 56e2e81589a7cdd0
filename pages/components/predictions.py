"""Predictions on the page Check yourself: what a card of an experiment decides."""

from collections.abc import Mapping

import streamlit as st

from cnnlab import experiments
from cnnlab.catalog import Section
from cnnlab.runs.predictions import Prediction
from pages.components import experiment_runs, links

INTRODUCTION = (
    "These have no formula. Predict what will come out, run it, and let the data decide: nobody "
    "can look the answer up."
)


def show(section: Section) -> None:
    """Every experiment of the section as a way to its card, with how it stands."""
    found = {one.id: one for one in experiments.of_section(section.slug)}
    if not found:
        return
    st.subheader("Predictions", anchor=False)
    st.markdown(INTRODUCTION)
    for name, stands in experiment_runs.states(list(found.values())).items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                found[name].question,
                icon=":material/science:",
                type="tertiary",
                key=f"predict_card.{name}",
                on_click=links.open_experiment,
                args=(name,),
            )
            st.caption(stands)


def run(section: Section, predicted: Mapping[str, Prediction]) -> int:
    """How many experiments of a section a visitor has predicted and run."""
    own = [predicted.get(one.id) for one in experiments.of_section(section.slug)]
    return sum(1 for one in own if one and one.group_id)
