"""The things to try at the end of a text."""

import streamlit as st

from cnnlab import exercises
from cnnlab.catalog import Section


def show(section: Section) -> None:
    """What the page asks its reader to try, one after the other."""
    for exercise in exercises.of_section(section.slug):
        st.markdown(f"- **{exercise.view}.** {exercise.text}")
