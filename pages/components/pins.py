"""Which runs a reader keeps beside every curve."""

from collections.abc import Sequence

import streamlit as st

from cnnlab.errors import CnnLabError
from cnnlab.runs.store import RunRecord
from pages.components import run_names, services, state

KEY = "pins"


def picker(runs: Sequence[RunRecord]) -> None:
    """A list of runs behind a button; those that are chosen are pinned."""
    names = run_names.distinct(runs)
    pinned = [run.id for run in runs if run.pinned]
    with st.popover("Pin", icon=":material/keep:", type="tertiary"):
        st.multiselect(
            "Beside every curve",
            list(names),
            pinned,
            format_func=lambda key: names.get(key, key),
            key=KEY,
            on_change=change,
            args=(pinned,),
            placeholder="Choose runs, also of other networks",
            help="A curve is drawn with your earlier runs of the same network on the same "
            "pictures. Pinned runs stay beside every curve, whatever they are of.",
        )


def change(before: Sequence[str]) -> None:
    """Pin what was added, let go what was taken out."""
    chosen = state.get(KEY)
    now = {str(key) for key in chosen} if isinstance(chosen, list) else set()
    for run in now ^ set(before):
        try:
            services.run_manager().pin(run, state.visitor(), run in now)
        except CnnLabError as error:
            st.toast(str(error), icon=":material/error:")
