"""Whether a data set is there, and its download."""

import streamlit as st

from cnnlab import datasets
from cnnlab.errors import CnnLabError


def offer(name: str) -> bool:
    """True when the set is ready; else say so and offer the download."""
    found = datasets.state(name)
    if found.status == "ready":
        return True
    spec = datasets.DATASETS[name]
    st.info(found.message, icon=":material/download:")
    if st.button(f"Download {spec.title}", icon=":material/download:", key=f"download.{name}"):
        bar = st.progress(0.0, f"Downloading {spec.title}…")

        def progress(done_bytes: int, total_bytes: int | None) -> None:
            share = min(1.0, done_bytes / total_bytes) if total_bytes else 0.0
            bar.progress(share, f"{done_bytes / 1e6:.1f} MB of {spec.title}")

        try:
            datasets.load(name, progress=progress)
        except CnnLabError as error:
            bar.empty()
            st.error(str(error), icon=":material/cloud_off:")
            return False
        st.rerun()
    return False
