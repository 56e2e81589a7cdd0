"""The Runs page: a visitor's own runs, or one that somebody shared."""

import streamlit as st

from cnnlab.catalog import SECTIONS
from cnnlab.runs.store import ACTIVE, RunRecord
from pages.components import runs_actions, runs_compare, runs_table, services, state

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
    found = services.store().runs(state.visitor(), limit=MOST, pinned_first=True)
    if not found:
        nothing()
        return
    st.markdown("Everything you have trained. Tick one run to look at it, several to compare them.")
    listed = runs_table.filtered(found)
    chosen = runs_table.pick(listed)
    runs_actions.show(chosen)
    active = [run.id for run in found if run.status in ACTIVE]
    st.fragment(follow, run_every=TICK_S if active else None)([run.id for run in chosen], found)


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


def follow(chosen: list[str], found: list[RunRecord]) -> None:
    """The chosen runs as they stand; the whole page again when a run begins or ends."""
    store = services.store()
    for before in found:
        if before.status in ACTIVE:
            now = store.run(before.id)
            if now is None or now.status != before.status:
                st.rerun()
    runs_compare.show([run for name in chosen if (run := store.run(name))])


def shared(token: str) -> None:
    """One run of somebody, to look at and to export, not to change."""
    record = services.store().by_token(token)
    if record is None:
        st.title("A shared run", anchor=False)
        st.warning(
            "This link leads to no run. It was deleted, or the link is not complete: ask for it "
            "again.",
            icon=":material/link_off:",
        )
    else:
        st.title(record.name, anchor=False)
        st.caption(":material/link: Shared with you, read-only")
        runs_actions.exports([record])
        tick_s = TICK_S if record.status in ACTIVE else None
        st.fragment(follow, run_every=tick_s)([record.id], [record])
    # Not a page link: one to the page that is open leaves the address as it is.
    st.button(
        "Your own runs",
        icon=":material/arrow_back:",
        type="tertiary",
        key="runs.own",
        on_click=st.query_params.clear,
    )
