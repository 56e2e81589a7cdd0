"""The Check yourself view: questions about the network that is set on the page."""

import streamlit as st

from cnnlab import questions
from cnnlab.catalog import NetworkSpec, Section
from cnnlab.words import inside, words
from pages.components import (
    configuration,
    focus,
    predictions,
    presets,
    progress,
    question_card,
    services,
    state,
)

INTRODUCTION = (
    "Answer first, then read the arithmetic. Every answer is computed from the network that is set "
    "on this page: turn its knobs in Architecture, and the questions change with them."
)
NONE_YET = "This page has no questions yet."


def show(section: Section, spec: NetworkSpec) -> None:
    """The questions of the section, one card each."""
    chosen = configuration.current(section, spec)
    start = configuration.start(section, spec)
    answered = services.store().answers.of(state.visitor())
    asked = questions.of_section(section.slug)
    with st.container(width=760):
        st.markdown(INTRODUCTION if asked else NONE_YET)
        if asked:
            done, total = progress.of_section(section, answered)
            changed = presets.phrases(spec, chosen.changed)
            settings = ", ".join([inside(words(chosen.preset)), *changed])
            st.caption(
                f"{question_card.DONE} {done} of {total} answered right. Asked of {spec.title}: "
                f"{settings}."
            )
        for question in asked:
            question_card.show(question, chosen, start, answered.get(question.id))
        predictions.show(section)
    focus.settle()
