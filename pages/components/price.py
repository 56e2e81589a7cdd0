"""How long a group of runs takes here, said before it is started."""

from collections.abc import Callable

import streamlit as st

from pages.components.durations import duration

TICK_S = 1.5
NOT_KNOWN = ":material/timer: How long it takes is measured as soon as the machine is free."
# Seconds for all runs; None as long as the speed of one is not known.
Total = Callable[[], float | None]


def show(total: Total, what: str) -> None:
    """The expected time of `what`; asked for again as long as it is not known."""
    known = total() is not None
    st.fragment(_line, run_every=None if known else TICK_S)(total, what, known)


def _line(total: Total, what: str, known: bool) -> None:
    found = total()
    if found is not None and not known:
        st.rerun()  # to be asked no more
    if found is None:
        st.caption(NOT_KNOWN)
    else:
        st.caption(f":material/timer: About **{duration(found)}** for {what} on this machine.")
