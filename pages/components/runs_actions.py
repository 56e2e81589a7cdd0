"""What can be done with the ticked runs and groups: rename, pin, share, stop, delete, export."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from cnnlab.errors import CnnLabError
from cnnlab.runs import export
from cnnlab.runs.entries import Entry
from cnnlab.runs.store import Curve, RunRecord
from pages.components import follow, links, runs_table, services, state, weights_listed
from pages.components.markdown import escaped


def show(chosen: Sequence[Entry]) -> None:
    """The row of buttons; those that need exactly one entry, or an ended one, are greyed."""
    row = st.container(horizontal=True)
    one = len(chosen) == 1
    active = [entry for entry in chosen if entry.active]
    if one and chosen[0].group:
        opened = runs_table.is_opened(chosen[0])
        row.button(
            "Hide its runs" if opened else "Show its runs",
            icon=":material/unfold_less:" if opened else ":material/unfold_more:",
            key="runs.turn",
            on_click=runs_table.turn,
            args=(chosen[0],),
        )
    look_inside(chosen, row)
    if row.button("Rename", icon=":material/edit:", disabled=not one, key="runs.rename"):
        rename(chosen[0])
    pinned = bool(chosen) and all(entry.pinned for entry in chosen)
    row.button(
        "Unpin" if pinned else "Pin",
        icon=":material/keep_off:" if pinned else ":material/keep:",
        disabled=not chosen,
        key="runs.pin",
        on_click=pin,
        args=(chosen, not pinned),
    )
    if row.button("Share", icon=":material/link:", disabled=not one, key="runs.share"):
        share(chosen[0])
    if active:
        row.button("Stop", icon=":material/stop:", key="runs.stop", on_click=stop, args=(active,))
    if row.button(
        "Delete",
        icon=":material/delete:",
        disabled=not chosen or bool(active),
        help="Stop a run before you delete it." if active else None,
        key="runs.delete",
    ):
        delete(chosen)
    exports(chosen, row)


def look_inside(chosen: Sequence[Entry], row: Any) -> None:
    """The way to the feature maps of one run that left its weights."""
    runs = [run for entry in chosen for run in entry.runs]
    if len(runs) != 1 or not runs[0].weights:
        return
    run = runs[0]
    if row.button(
        "Look inside",
        icon=":material/visibility:",
        key="runs.look_inside",
        on_click=weights_listed.look_inside,
        args=(run,),
        help="What each layer makes of a picture with the weights that this run has learned.",
    ):
        st.switch_page(
            str(Path("pages") / "chapter" / f"{links.page_of(run).slug}.py"),
            query_params=weights_listed.address(run),
        )


def exports(chosen: Sequence[Entry], row: Any = None) -> None:
    """Download buttons; the files are made when they are asked for."""
    place = row if row is not None else st.container(horizontal=True)
    runs = [run for entry in chosen for run in entry.runs]
    one = len(chosen) == 1
    name = export.file_name(chosen[0].name, chosen[0].id) if one else f"{len(runs)}-runs"
    kinds: list[tuple[str, str, Callable[[], str | bytes]]] = [
        ("CSV", f"{name}.csv", lambda: export.runs_csv(pairs(runs))),
        ("JSON", f"{name}.json", lambda: as_json(runs)),
    ]
    if export.has_tensorboard():
        kinds.append(
            (
                "TensorBoard",
                f"{name}-tensorboard.zip",
                lambda: export.runs_tensorboard(pairs(runs)),
            )
        )
    for label, file, made in kinds:
        place.download_button(
            label,
            made,
            file,
            icon=":material/download:",
            disabled=not runs,
            on_click="ignore",
            key=f"runs.{label.lower()}",
        )


def pairs(runs: Sequence[RunRecord]) -> list[tuple[RunRecord, Curve]]:
    """The runs with their points."""
    return [(run, services.store().curve(run.id)) for run in runs]


def as_json(runs: Sequence[RunRecord]) -> str:
    """One run as an object, several as a list."""
    found = pairs(runs)
    return export.run_json(*found[0]) if len(found) == 1 else export.runs_json(found)


def attempt(action: Callable[[], None]) -> None:
    """Do it, or say in a sentence why it cannot be done."""
    try:
        action()
    except CnnLabError as error:
        st.toast(str(error), icon=":material/error:")


def pin(chosen: Sequence[Entry], pinned: bool) -> None:
    """Keep runs at the top of the list, or let them go; a run of a group takes its group along."""
    manager = services.run_manager()
    for entry in chosen:
        group = entry.runs[0].group_id
        act = manager.pin_group if group else manager.pin
        attempt(partial(act, group or entry.id, state.visitor(), pinned))


def stop(chosen: Sequence[Entry]) -> None:
    """End runs that wait or go on."""
    manager = services.run_manager()
    for entry in chosen:
        act = manager.stop_group if entry.group else manager.stop
        attempt(partial(act, entry.id, state.visitor()))


def save_name(entry: Entry) -> None:
    """Give the run or group the name that was typed."""
    manager = services.run_manager()
    act = manager.rename_group if entry.group else manager.rename
    attempt(partial(act, entry.id, state.visitor(), str(state.get(name_key(entry)))))


def delete_all(chosen: Sequence[Entry]) -> None:
    """Forget the runs."""
    manager = services.run_manager()
    for entry in chosen:
        act = manager.delete_group if entry.group else manager.delete
        attempt(partial(act, entry.id, state.visitor()))


def name_key(entry: Entry) -> str:
    """The key of the field in which a name is typed."""
    return f"runs.name.{entry.id}"


def kind(entry: Entry) -> str:
    """What an entry is, inside a sentence."""
    return "group" if entry.group else "run"


@st.dialog("Rename", icon=":material/edit:")
def rename(entry: Entry) -> None:
    """Ask for another name."""
    with st.form("runs.rename.form", border=False):
        st.text_input(f"Name of the {kind(entry)}", entry.name, max_chars=80, key=name_key(entry))
        # A callback: what it changes is there before the page is drawn again.
        if st.form_submit_button(
            "Save", type="primary", key="runs.rename.save", on_click=save_name, args=(entry,)
        ):
            st.rerun()


@st.dialog("Share", icon=":material/link:")
def share(entry: Entry) -> None:
    """Show the link that opens the run or group for anybody."""
    manager = services.run_manager()
    act = manager.share_group if entry.group else manager.share
    try:
        token = act(entry.id, state.visitor())
    except CnnLabError as error:
        st.error(str(error))
        return
    st.markdown(
        f"Whoever has this link can look at **{escaped(entry.name)}** and export it. Nobody but "
        "you can change or delete it."
    )
    if any(follow.carried(run) for run in entry.runs):
        st.caption(":material/image: The picture that was followed goes with it.")
    st.code(link(token), language=None, wrap_lines=True)
    st.caption(f"The link works until you withdraw it or delete the {kind(entry)}.")
    if st.button(
        "Withdraw the link",
        icon=":material/link_off:",
        key="runs.withdraw",
        on_click=withdraw,
        args=(entry,),
        help="Whoever has it sees nothing any more. If you share again, the link is another.",
    ):
        st.rerun()


def withdraw(entry: Entry) -> None:
    """End the link of a run or group."""
    manager = services.run_manager()
    act = manager.withdraw_group if entry.group else manager.withdraw
    attempt(partial(act, entry.id, state.visitor()))


def link(token: str) -> str:
    """The address of a shared run or group, as this browser reaches the server."""
    here = (st.context.url or "").split("?")[0].rstrip("/").removesuffix("/runs")
    return f"{here}/runs?shared={token}"


@st.dialog("Delete for good?", icon=":material/delete:")
def delete(chosen: Sequence[Entry]) -> None:
    """Ask before runs, their curves and their weights are lost."""
    st.markdown("\n".join(f"- {escaped(entry.name)}{_size(entry)}" for entry in chosen))
    st.markdown("The curves and what the network learned go too. This cannot be undone.")
    row = st.container(horizontal=True)
    if row.button(
        "Delete", type="primary", key="runs.delete.sure", on_click=delete_all, args=(chosen,)
    ):
        st.rerun()
    if row.button("Keep", key="runs.delete.keep"):
        st.rerun()


def _size(entry: Entry) -> str:
    return f", all {len(entry.runs)} runs" if entry.group else ""
