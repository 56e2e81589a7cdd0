"""The things to try at the end of a text, each with buttons that set what it names."""

import streamlit as st

from cnnlab import exercises
from cnnlab.catalog import Section
from cnnlab.exercises import Arm, Exercise
from pages.components import links


def show(section: Section) -> None:
    """What the page asks its reader to try, one after the other."""
    for exercise in exercises.of_section(section.slug):
        st.markdown(f"- **{exercise.view}.** {exercise.text}")
        with st.container(horizontal=True):
            for arm in exercise.arms:
                button(exercise, arm)


def button(exercise: Exercise, arm: Arm) -> None:
    """Open the view with the settings of an arm."""
    st.button(
        arm.name[0].upper() + arm.name[1:],
        icon=":material/arrow_forward:",
        key=f"try.{exercise.id}.{arm.name}",
        help=f"Opens {exercise.view} with these settings.",
        on_click=links.apply,
        args=(exercise.section, exercise.view, arm.configuration),
    )
