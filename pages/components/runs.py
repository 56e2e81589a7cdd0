"""The Runs page: a visitor's own runs, or one that somebody shared."""

import streamlit as st

from cnnlab.catalog import SECTIONS
from cnnlab.runs.entries import Entry, entries
from pages.components import group_progress, runs_actions, runs_compare, runs_table, services, state
from pages.components.markdown import escaped

MOST = 1000
TICK_S = 1.0


def show() -> None:
    """The page; `?shared=<token>` in its address opens a shared run."""
    token = st.query_params.get("shared")
    if token:
        shared(token)
    else:
        own()


def own() -> None:
    """List, actions and comparison of the visitor's own runs."""
    st.title("Runs", anchor=False)
    found = listed()
    if not found:
        nothing()
        return
    st.markdown("Everything you have trained. Tick one run to look at it, several to compare them.")
    chosen = runs_table.pick(runs_table.filtered(found))
    runs_actions.show(chosen)
    disk()
    active = [run.id for entry in found for run in entry.active]
    st.fragment(follow, run_every=TICK_S if active else None)(chosen, found)


def disk() -> None:
    """What the weights take, and what happens when it becomes too much."""
    taken = services.store().weights.of_visitor(state.visitor())
    most = services.run_manager().settings.weights_mb_per_visitor
    st.caption(
        f":material/hard_drive: What your networks learned takes {taken / 2**20:,.0f} of "
        f"{most:,} MB. Beyond that the oldest make room, but no pinned ones; curves stay."
    )


def listed() -> list[Entry]:
    """The visitor's runs and groups, pinned ones first; the last group is not cut off."""
    store = services.store()
    runs = store.runs(state.visitor(), limit=MOST, pinned_first=True)
    found = entries(runs)
    if len(runs) == MOST and (group := found[-1].group):
        found[-1] = Entry(tuple(store.groups.runs(group)), group)
    return found


def nothing() -> None:
    """What to do when there is no run yet."""
    st.info(
        "Train a network on any page, and its runs are listed here.", icon=":material/show_chart:"
    )
    first = SECTIONS["batch_norm"]
    st.page_link(
        f"pages/chapter/{first.slug}.py",
        label=f"Train one in {first.heading}",
        icon=":material/arrow_forward:",
        query_params={"view": "Train"},
    )


def follow(chosen: list[Entry], found: list[Entry]) -> None:
    """The chosen runs as they stand; the whole page again when a run begins or ends."""
    active = [run for entry in found for run in entry.active]
    latest = services.store().latest([run.id for run in active])
    if any(run.id not in latest or latest[run.id].status != run.status for run in active):
        st.rerun()
    if any(entry.group for entry in chosen):
        group_progress.show(chosen)
    else:
        runs_compare.show([run for entry in chosen for run in entry.runs])


def shared(token: str) -> None:
    """One run or group of somebody, to look at and to export, not to change."""
    entry = shared_entry(token)
    if entry is None:
        st.title("A shared run", anchor=False)
        st.warning(
            "This link leads to no run. It was deleted, or the link is not complete: ask for it "
            "again.",
            icon=":material/link_off:",
        )
    else:
        st.title(escaped(entry.name), anchor=False)
        st.caption(":material/link: Shared with you, read-only")
        runs_actions.exports([entry])
        st.fragment(follow, run_every=TICK_S if entry.active else None)([entry], [entry])
    # Not a page link: one to the page that is open leaves the address as it is.
    st.button(
        "Your own runs",
        icon=":material/arrow_back:",
        type="tertiary",
        key="runs.own",
        on_click=st.query_params.clear,
    )


def shared_entry(token: str) -> Entry | None:
    """What somebody shared under this secret."""
    store = services.store()
    if record := store.by_token(token):
        return Entry((record,))
    runs = store.groups.by_token(token)
    return Entry(tuple(runs), runs[0].group_id) if runs else None
