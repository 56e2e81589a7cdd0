"""How long a run will take, said before it starts."""

from collections.abc import Callable

import streamlit as st

from cnnlab.training import RunConfig
from cnnlab.training.estimate import Estimate
from pages.components import services
from pages.components.durations import duration

TICK_S, RETAKE_TICK_S = 0.6, 5.0
# Readers wait this long without a reason; for more, a smaller network is offered.
LONG_S = 120
NOTE = "From a few timed steps on made-up pictures, on the device that will do the run."


def show(config: RunConfig, use_small: Callable[[], None] | None, busy: bool) -> None:
    """The expected time; asked for again as long as it is not known, or taken beside other work.

    `use_small` chooses the quick stand-in, None where it is in use; `busy` while the reader's own
    run is going on, during which nothing is measured.
    """
    tick_s = None if busy else next_tick_s(services.run_manager().estimate(config))
    st.fragment(line, run_every=tick_s)(config, use_small, tick_s)


def next_tick_s(found: Estimate | None) -> float | None:
    """Seconds until it is worth to ask again; None where the answer will stay."""
    if found is None:
        return TICK_S
    return RETAKE_TICK_S if found.busy else None


def line(config: RunConfig, use_small: Callable[[], None] | None, tick_s: float | None) -> None:
    """One line, or a warning with a way out where the run is long."""
    found = services.run_manager().estimate(config)
    if tick_s is not None and tick_s != next_tick_s(found):
        st.rerun()  # to be asked less often, or no more
    if found is None:
        st.caption(
            ":material/timer: How long this takes is measured as soon as the machine is free.",
            help=NOTE,
        )
        return
    if found.problem:
        st.warning(found.problem, icon=":material/memory:")
        return
    run_s = found.run_s(config)
    if run_s <= LONG_S:
        st.caption(f":material/timer: {text(found, run_s)}", help=NOTE)
        return
    st.warning(
        f"{text(found, run_s)} {advice(run_s, use_small is not None)}", icon=":material/timer:"
    )
    if use_small is not None and st.button(
        "Train the quick stand-in",
        icon=":material/compress:",
        key="use_small",
        on_click=use_small,
        help="A smaller network of the same kind, on smaller pictures: under half a minute.",
    ):
        st.rerun()  # the knobs outside have changed


def text(found: Estimate, run_s: float) -> str:
    """The time and the number format, in a sentence."""
    gain = f", {found.gain:.1f} times as fast here as float32" if found.gain else ""
    beside = " Measured beside other work; it may well be faster." if found.busy else ""
    return f"About **{duration(run_s)}**, computed in {found.precision}{gain}.{beside}"


def advice(run_s: float, has_small: bool) -> str:
    """What to do about a long run."""
    settings = services.run_manager().settings
    stops = ""
    if run_s > settings.run_limit_s:
        stops = f"It would be stopped after {duration(settings.run_limit_s)}. "
    if run_s > settings.run_limit_waiting_s:
        shorter = duration(settings.run_limit_waiting_s)
        stops += f"While somebody else waits, a run is stopped after {shorter}. "
    hint = "" if has_small else "Fewer epochs or training pictures make it shorter."
    return stops + hint
