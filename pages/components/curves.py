"""The live curves of the newest run, earlier runs faint behind it."""

from collections.abc import Sequence

import streamlit as st

from cnnlab.catalog import Section
from cnnlab.jobs.manager import Place
from cnnlab.runs.entries import Entry
from cnnlab.runs.store import ACTIVE, Curve, RunRecord
from pages.components import charts, group_progress, run_names, services, state
from pages.components.durations import duration

TICK_S = 0.3
# While others' runs come first nothing moves, and thirty readers may be waiting.
WAITING_TICK_S = 1.0
EARLIER = 4


def recent_runs(section: Section) -> list[RunRecord]:
    """This visitor's runs on the page, the newest first; of a group that is newest all of them."""
    store = services.store()
    found = store.runs(state.visitor(), page=section.slug, limit=EARLIER + 4)
    if found and found[0].group_id:
        return store.groups.runs(found[0].group_id)
    return [run for run in found if run.group_id is None]


def going_on(runs: Sequence[RunRecord]) -> RunRecord | None:
    """The run that is queued or running, if there is one; of several rather one that is running."""
    active = [run for run in runs if run.status in ACTIVE]
    return min(active, key=lambda run: run.status != "running", default=None)


def active_run(section: Section) -> RunRecord | None:
    """The run, or one of the group, that is queued or running, if there is one."""
    return going_on(recent_runs(section))


def key(run: RunRecord | None) -> str | None:
    """What Start and Stop are about: the run, or its group as a whole."""
    return (run.group_id or run.id) if run else None


def show(section: Section, active: RunRecord | None, epochs: int) -> None:
    """The curves, redrawn while a run is going on.

    `active` is the run by which the page has drawn its buttons.
    """
    place = services.run_manager().place(active.id) if active else None
    waits = place is not None and place.place > 1
    slow = waits or (active is not None and active.group_id is not None)
    tick_s = (WAITING_TICK_S if slow else TICK_S) if active else None
    st.fragment(panel, run_every=tick_s)(section, key(active), waits, epochs)


def panel(section: Section, active: str | None, waited: bool, epochs: int) -> None:
    """One picture of the newest run as it stands."""
    services.run_manager().seen(state.visitor())
    runs = recent_runs(section)
    going = going_on(runs)
    if key(going) != active or (waited and going and going.status == "running"):
        st.rerun()  # the buttons outside and the pace have to change too
    current = runs[0] if runs else None
    if current and current.group_id:
        group_progress.show([Entry(tuple(runs), current.group_id)])
        return
    curve = services.curve(current) if current else Curve()
    status_line(current, curve)
    draw(current, curve, runs[1 : EARLIER + 1], epochs)
    if current:
        outcome(current, curve)


def draw(
    current: RunRecord | None, curve: Curve, earlier: Sequence[RunRecord], epochs: int
) -> None:
    """Loss on the left, accuracy on the right."""
    names = run_names.labels([run for run in (current, *earlier) if run])
    named = [charts.NamedCurve(names[run.id].short, services.curve(run)) for run in earlier]
    now = charts.NamedCurve("now", curve) if current else None
    epochs = max([run.config.epochs for run in (current, *earlier) if run] or [epochs])
    left, right = st.columns(2)
    left.plotly_chart(charts.loss(now, named, epochs), config=charts.PLAIN, key="loss")
    right.plotly_chart(charts.accuracy(now, named, epochs), config=charts.PLAIN, key="accuracy")


def status_line(run: RunRecord | None, curve: Curve) -> None:
    """Progress and time left; the same height in every state."""
    if run is None:
        st.progress(0.0, "Press Start: loss and accuracy appear here while the network learns.")
        return
    share = min(1.0, curve.epochs[-1] / run.config.epochs) if curve.epochs else 0.0
    if run.status == "queued":
        st.progress(0.0, waiting(services.run_manager().place(run.id)))
    elif run.status == "running" and not curve.epochs:
        st.progress(0.0, "Getting ready…")
    elif run.status == "running":
        st.progress(
            share,
            f"{share:.0%} · {duration(curve.eta_s)} left · {curve.images_per_s:,.0f} images/s",
        )
    else:
        st.progress(share, ENDINGS.get(run.status, run.status))


def waiting(place: Place | None) -> str:
    """Where the run stands in the line."""
    if place is None:
        return "Starting…"
    wait = f", about {duration(place.expected_wait_s)}" if place.expected_wait_s else ""
    return f"Waiting for a free place: number {place.place} in the line{wait}"


ENDINGS = {
    "finished": "Finished",
    "cancelled": "Stopped",
    "failed": "Failed",
    "interrupted": "Interrupted: the server was stopped",
}


def outcome(run: RunRecord, curve: Curve) -> None:
    """The figures of the newest run, and what to do next."""
    columns = st.columns(4)
    columns[0].metric("Training loss", _recent(curve.train_loss, "{:.3f}"))
    columns[1].metric("Training accuracy", _recent(curve.train_accuracy, "{:.1%}"))
    columns[2].metric("Test accuracy", _last(curve.test_accuracy, "{:.1%}"))
    speed = f"{curve.images_per_s:,.0f}" if curve.images_per_s else "–"
    columns[3].metric("Images per second", speed)
    if run.environment:
        device = {"cpu": "the CPU"}.get(run.environment["device"], run.environment["device"])
        st.caption(f"Computed on {device} in {run.environment['precision']}.")
    if run.status == "failed":
        st.error(run.message, icon=":material/error:")
    elif run.message:
        st.info(run.message)
    if run.status in ("finished", "cancelled") and run.weights:
        st.success(
            "What it learned is kept: choose these weights under **Feature maps**.",
            icon=":material/check:",
        )


def _last(values: Sequence[float], form: str) -> str:
    return form.format(values[-1]) if values else "–"


def _recent(values: Sequence[float], form: str) -> str:
    """The mean of the last points: one batch alone says little."""
    last = values[-10:]
    return form.format(sum(last) / len(last)) if last else "–"
