"""What the buttons of a group of runs do: an action with its errors as sentences, and the stop."""

from collections.abc import Callable, Sequence

import streamlit as st

from cnnlab.errors import CnnLabError
from cnnlab.runs.store import RunRecord
from pages.components import focus, services, state

STOP_WAIT_S = 0.4


def attempt(action: Callable[[], None], then: str = "") -> None:
    """Do what a button asks, draw the page again, or say why it cannot be done.

    `then` is the button that has the keyboard's focus afterwards.
    """
    try:
        action()
    except CnnLabError as error:
        st.error(str(error))
    else:
        focus.hand_to(then)
        st.rerun()


def stop(runs: Sequence[RunRecord]) -> None:
    """End all runs of the group that these are. Raises: CnnLabError where that cannot be done."""
    if group := runs[0].group_id:
        services.run_manager().stop_group(group, state.visitor(), STOP_WAIT_S)
