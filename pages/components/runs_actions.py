"""What can be done with the ticked runs: rename, pin, share, stop, delete, export."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from cnnlab.errors import CnnLabError
from cnnlab.runs import export
from cnnlab.runs.store import ACTIVE, Curve, RunRecord
from pages.components import services, state


def show(runs: Sequence[RunRecord]) -> None:
    """The row of buttons; those that need exactly one run, or an ended one, are greyed."""
    row = st.container(horizontal=True)
    one = len(runs) == 1
    active = [run for run in runs if run.status in ACTIVE]
    if row.button("Rename", icon=":material/edit:", disabled=not one, key="runs.rename"):
        rename(runs[0])
    pinned = bool(runs) and all(run.pinned for run in runs)
    row.button(
        "Unpin" if pinned else "Pin",
        icon=":material/keep_off:" if pinned else ":material/keep:",
        disabled=not runs,
        key="runs.pin",
        on_click=pin,
        args=(runs, not pinned),
    )
    if row.button("Share", icon=":material/link:", disabled=not one, key="runs.share"):
        share(runs[0])
    if active:
        row.button("Stop", icon=":material/stop:", key="runs.stop", on_click=stop, args=(active,))
    if row.button(
        "Delete",
        icon=":material/delete:",
        disabled=not runs or bool(active),
        help="Stop a run before you delete it." if active else None,
        key="runs.delete",
    ):
        delete(runs)
    exports(runs, row)


def exports(runs: Sequence[RunRecord], row: Any = None) -> None:
    """Download buttons; the files are made when they are asked for."""
    place = row if row is not None else st.container(horizontal=True)
    name = export.file_name(runs[0]) if len(runs) == 1 else f"{len(runs)}-runs"
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


def pin(runs: Sequence[RunRecord], pinned: bool) -> None:
    """Keep runs at the top of the list, or let them go."""
    for run in runs:
        attempt(partial(services.run_manager().pin, run.id, state.visitor(), pinned))


def stop(runs: Sequence[RunRecord]) -> None:
    """End runs that wait or go on."""
    for run in runs:
        attempt(partial(services.run_manager().stop, run.id, state.visitor()))


def save_name(run: RunRecord) -> None:
    """Give the run the name that was typed."""
    name = str(state.get(name_key(run)))
    attempt(partial(services.run_manager().rename, run.id, state.visitor(), name))


def delete_all(runs: Sequence[RunRecord]) -> None:
    """Forget the runs."""
    for run in runs:
        attempt(partial(services.run_manager().delete, run.id, state.visitor()))


def name_key(run: RunRecord) -> str:
    """The key of the field in which a run's name is typed."""
    return f"runs.name.{run.id}"


@st.dialog("Rename the run", icon=":material/edit:")
def rename(run: RunRecord) -> None:
    """Ask for another name."""
    with st.form("runs.rename.form", border=False):
        st.text_input("Name", run.name, max_chars=80, key=name_key(run))
        # A callback: what it changes is there before the page is drawn again.
        if st.form_submit_button(
            "Save", type="primary", key="runs.rename.save", on_click=save_name, args=(run,)
        ):
            st.rerun()


@st.dialog("Share the run", icon=":material/link:")
def share(run: RunRecord) -> None:
    """Show the link that opens the run for anybody."""
    try:
        token = services.run_manager().share(run.id, state.visitor())
    except CnnLabError as error:
        st.error(str(error))
        return
    st.markdown(
        f"Whoever has this link can look at **{_escaped(run.name)}** and export it. Nobody but you "
        "can change or delete it."
    )
    st.code(link(token), language=None, wrap_lines=True)
    st.caption("The link works until you delete the run.")


def link(token: str) -> str:
    """The address of a shared run, as this browser reaches the server."""
    here = (st.context.url or "").split("?")[0].rstrip("/").removesuffix("/runs")
    return f"{here}/runs?shared={token}"


@st.dialog("Delete for good?", icon=":material/delete:")
def delete(runs: Sequence[RunRecord]) -> None:
    """Ask before runs, their curves and their weights are lost."""
    st.markdown("\n".join(f"- {_escaped(run.name)}" for run in runs))
    st.markdown("The curves and what the network learned go too. This cannot be undone.")
    row = st.container(horizontal=True)
    if row.button(
        "Delete", type="primary", key="runs.delete.sure", on_click=delete_all, args=(runs,)
    ):
        st.rerun()
    if row.button("Keep", key="runs.delete.keep"):
        st.rerun()


def _escaped(name: str) -> str:
    """A name that Markdown shows as it is."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()#+-.!|<>~:$" else sign for sign in name)
