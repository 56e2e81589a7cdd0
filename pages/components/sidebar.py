"""What the sidebar says below the navigation: the device in use and the data."""

import streamlit as st

from cnnlab import datasets, devices
from pages.components import services


def show() -> None:
    """The machine and the data sets, in two lines each."""
    with st.sidebar:
        device = devices.available()[0]
        memory = f", {device.memory_gb:.0f} GB" if device.memory_gb else ""
        st.caption(f":material/memory: **{device.title}**{memory}")
        for name, spec in datasets.DATASETS.items():
            found = datasets.state(name)
            icon = ":material/check_circle:" if found.status == "ready" else ":material/download:"
            st.caption(f"{icon} {spec.title}: {found.status}", help=found.message)
        if services.store().notice:
            st.warning(services.store().notice)
