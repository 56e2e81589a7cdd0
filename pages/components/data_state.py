"""Whether a data set is there, and its download."""

import streamlit as st

from cnnlab import datasets
from cnnlab.errors import CnnLabError


def offer(name: str) -> bool:
    """True when the set is ready; else say so and offer the download, again where it is damaged."""
    found = datasets.state(name)
    if found.status == "ready":
        return True
    spec = datasets.DATASETS[name]
    damaged = found.status == "damaged"
    if damaged:
        st.warning(found.message, icon=":material/error:")
    else:
        st.info(found.message, icon=":material/download:")
    label = f"Download {spec.title} again" if damaged else f"Download {spec.title}"
    if st.button(label, icon=":material/download:", key=f"download.{name}"):
        bar = st.progress(0.0, f"Downloading {spec.title}…")

        def progress(done_bytes: int, total_bytes: int | None) -> None:
            share = min(1.0, done_bytes / total_bytes) if total_bytes else 0.0
            bar.progress(share, f"{done_bytes / 1e6:.1f} MB of {spec.title}")

        try:
            get = datasets.mend if damaged else datasets.load
            get(name, progress=progress)
        except CnnLabError as error:
            bar.empty()
            st.error(str(error), icon=":material/cloud_off:")
            return False
        st.rerun()
    return False
