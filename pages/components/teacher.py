"""The Teacher page: the line of all visitors, and what holds it up; behind a password."""

import hashlib
import os
import secrets
import threading
import time

import streamlit as st

from cnnlab import budget, process_memory
from cnnlab.jobs.job import Standing
from cnnlab.jobs.local.engine import LocalEngine
from pages.components import services, state
from pages.components.durations import duration

VARIABLE = "CNNLAB_TEACHER_PASSWORD"
# A password that is tried by a program is tried for years.
WAIT_S = 1.0
TICK_S = 2.0
STOPPED = "Stopped by the teacher."

_one_try_at_a_time = threading.Lock()


def is_there() -> bool:
    """Whether this server has a teacher."""
    return bool(os.environ.get(VARIABLE))


def show() -> None:
    """The page; before the password it shows nothing."""
    st.title("Teacher", anchor=False)
    if not is_open():
        ask()
        return
    line = services.run_manager().line()
    pause()
    st.fragment(memory, run_every=TICK_S)()
    chosen = listed(line)
    actions(chosen)


def is_open() -> bool:
    """Whether this browser tab has given the password that holds now."""
    return is_there() and state.get("teacher") == mark(os.environ[VARIABLE])


def mark(password: str) -> str:
    """What a tab keeps in place of the password."""
    return hashlib.sha256(password.encode()).hexdigest()


def ask() -> None:
    """Ask for the password."""
    st.markdown("See who waits, stop a run, let one go first, pause the line.")
    with st.form("teacher.form", border=False):
        st.text_input("Password", type="password", key="teacher.password", max_chars=200)
        if st.form_submit_button("Open", key="teacher.open", type="primary"):
            check()


def check() -> None:
    """Open the page where the password is right."""
    given = str(state.get("teacher.password") or "")
    with _one_try_at_a_time:
        right = secrets.compare_digest(mark(given), mark(os.environ[VARIABLE]))
        if not right:
            time.sleep(WAIT_S)
    if right:
        state.put("teacher", mark(given))
        st.rerun()
    st.error("This is not the password that the server was started with.", icon=":material/key:")


def pause() -> None:
    """Whether runs begin."""
    manager = services.run_manager()
    # Another teacher's tab may have changed it.
    state.put("teacher.pause", manager.paused)
    st.toggle(
        "Pause the line",
        key="teacher.pause",
        on_change=lambda: manager.pause(bool(state.get("teacher.pause"))),
        help="No run begins until you let them; those that go on are not touched. Everybody sees "
        "it in the sidebar.",
    )


def memory() -> None:
    """What the server and its workers have in memory."""
    engine = services.run_manager().engine
    workers = engine.worker_pids() if isinstance(engine, LocalEngine) else []
    own = process_memory.resident_bytes([os.getpid()])
    theirs = process_memory.resident_bytes(workers) or 0
    if own is None:
        return
    st.caption(
        f":material/memory: Pages {own / 1e9:.1f} GB, workers {theirs / 1e9:.1f} GB, of "
        f"{budget.memory_bytes() / 1e9:.1f} GB. Runs may take {budget.runs_bytes() / 1e9:.1f} GB."
    )


def listed(line: list[Standing]) -> list[Standing]:
    """All runs that go on or wait; returns the ticked ones."""
    if st.button("Look again", icon=":material/refresh:", key="teacher.refresh"):
        st.rerun()
    if not line:
        st.info("Nobody trains, and nobody waits.", icon=":material/check:")
        return []
    # Another line is another table, or ticks would move to other runs.
    key = "teacher.line." + mark(" ".join(one.run.id for one in line))[:12]
    event = st.dataframe(
        [cells(place, one) for place, one in enumerate(line)],
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        alt="The runs of all visitors that go on or wait",
    )
    return [line[row] for row in event.selection.rows if row < len(line)]


def cells(place: int, one: Standing) -> dict[str, object]:
    """A run as a row; visitors have no names, so that a few letters tell them apart."""
    running = one.running_s is not None
    return {
        "Place": place + 1,
        "State": f"Running, {duration(one.running_s)}" if one.running_s is not None else "Waiting",
        "Run": one.run.name,
        "Page": one.run.page,
        "Visitor": mark(one.run.visitor)[:6],
        "Group": "yes" if one.group else "",
        "Device": one.run.environment.get("device", "") if running else "",
    }


def actions(chosen: list[Standing]) -> None:
    """What can be done with the ticked runs."""
    row = st.container(horizontal=True)
    waiting = [one for one in chosen if one.running_s is None]
    row.button(
        "Stop",
        icon=":material/stop:",
        key="teacher.stop",
        disabled=not chosen,
        on_click=stop,
        args=([one.run.id for one in chosen],),
        help="What they learned is kept, and their readers are told that you stopped them.",
    )
    row.button(
        "Let it go first",
        icon=":material/vertical_align_top:",
        key="teacher.first",
        disabled=len(waiting) != 1 or len(chosen) != 1,
        on_click=first,
        args=([one.run.id for one in waiting],),
    )


def stop(runs: list[str]) -> None:
    """End runs; a tab whose password does not hold any more does nothing."""
    if is_open():
        services.run_manager().end(runs, STOPPED)


def first(runs: list[str]) -> None:
    """Put a run before all others."""
    if is_open():
        for run in runs:
            services.run_manager().prefer(run)
