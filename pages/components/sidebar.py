"""What the sidebar says below the navigation: the device in use and the data."""

import streamlit as st

from cnnlab import datasets, devices
from pages.components import services

ICONS = {
    "ready": ":material/check_circle:",
    "not downloaded": ":material/download:",
    "damaged": ":material/error:",
}


def show() -> None:
    """The machine, what of it cannot be used, and the data sets by what can be done with them."""
    with st.sidebar:
        device = devices.available()[0]
        memory = f", {device.memory_gb:.0f} GB" if device.memory_gb else ""
        st.caption(f":material/memory: **{device.title}**{memory}")
        for problem in devices.problems():
            st.caption(f":material/warning: {problem}")
        data()
        if services.run_manager().paused:
            st.warning("The teacher has paused the line: no run begins.", icon=":material/pause:")
        if services.store().notice:
            st.warning(services.store().notice)


def data() -> None:
    """A line for each state that a data set can be in, with the sets that are in it."""
    states = {spec.title: datasets.state(name) for name, spec in datasets.DATASETS.items()}
    for status in dict.fromkeys(found.status for found in states.values()):
        alike = {title: found for title, found in states.items() if found.status == status}
        st.caption(
            f"{ICONS[status]} {', '.join(alike)}: {status}",
            help="\n\n".join(found.message for found in alike.values()),
        )
