"""The live curves of the newest run, earlier runs faint behind it."""

from collections.abc import Sequence

import streamlit as st

from cnnlab.catalog import NetworkSpec, Section
from cnnlab.jobs.manager import Place
from cnnlab.runs.comparison import beside, cautions, same_settings
from cnnlab.runs.entries import Entry
from cnnlab.runs.store import ACTIVE, Curve, RunRecord
from cnnlab.training.config import RunConfig
from pages.components import (
    charts,
    curve_charts,
    curve_legend,
    follow,
    group_progress,
    inside_run,
    pins,
    right_and_wrong,
    run_colours,
    run_names,
    services,
    state,
    weights_listed,
)
from pages.components.durations import duration
from pages.components.markdown import escaped

TICK_S = 0.3
# While others' runs come first nothing moves, and thirty readers may be waiting.
WAITING_TICK_S = 1.0
EARLIER, PINNED = 4, 3
# Among so many runs are looked for those that can be compared.
RECENT = 60


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


def show(
    section: Section, spec: NetworkSpec, config: RunConfig | None, active: RunRecord | None
) -> None:
    """The curves, redrawn while a run is going on.

    `active` is the run by which the page has drawn its buttons; `config` what the knobs describe.
    """
    runs = services.store().runs(state.visitor(), limit=RECENT, pinned_first=True)
    newest = sorted(runs, key=lambda run: -run.number)
    here = (run for run in newest if run.page == section.slug and run.network == spec.name)
    current = active or next(here, None)
    grouped = current is not None and current.group_id is not None
    singles = [run for run in newest if run.pinned or run.group_id is None]
    others = [] if grouped else beside(current, singles, EARLIER, PINNED)
    shown = [] if grouped else [run for run in (current, *others) if run]
    colours = run_colours.colours(shown)
    place = services.run_manager().place(active.id) if active else None
    waits = place is not None and place.place > 1
    tick_s = (WAITING_TICK_S if waits or grouped else TICK_S) if active else None
    if shown:
        with st.container(horizontal=True, vertical_alignment="center"):
            curve_legend.show(shown, colours)
            pins.picker(newest)
    st.fragment(panel, run_every=tick_s)(section, config, current, others, colours, waits)


def panel(
    section: Section,
    config: RunConfig | None,
    current: RunRecord | None,
    others: Sequence[RunRecord],
    colours: dict[str, str],
    waited: bool,
) -> None:
    """One picture of the newest run as it stands."""
    services.run_manager().seen(state.visitor())
    active = current if current and current.status in ACTIVE else None
    going = active_run(section)
    if key(going) != key(active) or (waited and going and going.status == "running"):
        st.rerun()  # the buttons outside and the pace have to change too
    current = going or current
    if current and current.group_id:
        runs = services.store().groups.runs(current.group_id)
        group_progress.show([Entry(tuple(runs), current.group_id)])
        begun = {f"Seed {run.config.seed}": run for run in runs if run.status != "queued"}
        follow.show(begun, "follow", opened=True)
        right_and_wrong.show(begun, "answers")
        inside_run.show(begun, "inside")
        return
    curve = services.curve(current) if current else Curve()
    earlier = current is not None and is_earlier(current, config)
    status_line(current, curve, earlier)
    draw([run for run in (current, *others) if run], None if earlier else current, colours, config)
    if current:
        outcome(current, curve)
        follow.show({current.name: current}, "follow", opened=True)
        right_and_wrong.show({current.name: current}, "answers")
        inside_run.show({current.name: current}, "inside")
    shown = [run for run in (current, *others) if run and curve_legend.is_shown(run)]
    for caution in cautions(shown):
        st.caption(f":material/balance: {caution}")


def is_earlier(run: RunRecord, config: RunConfig | None) -> bool:
    """Whether the knobs were changed since a run that has ended."""
    if run.status in ACTIVE or config is None:
        return False
    return not same_settings(run.config, config)


def draw(
    runs: Sequence[RunRecord],
    bright: RunRecord | None,
    colours: dict[str, str],
    config: RunConfig | None,
) -> None:
    """Loss on the left, accuracy on the right; all runs but one are faint."""
    names = run_names.distinct(runs)
    drawn = [
        curve_charts.DrawnRun(names[run.id], services.curve(run), colours[run.id], run != bright)
        for run in runs
        if curve_legend.is_shown(run)
    ]
    epochs = max([run.config.epochs for run in runs] or [config.epochs if config else 1])
    for place, measure in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        chart = curve_charts.chart(drawn, measure, end=epochs)
        place.plotly_chart(chart, config=charts.PLAIN, key=measure)
    if drawn:
        st.caption(curve_charts.LINES_NOTE)


def status_line(run: RunRecord | None, curve: Curve, earlier: bool = False) -> None:
    """Which run it is, its progress and the time left; the same height in every state."""
    if run is None:
        st.progress(0.0, "Press Start: loss and accuracy appear here while the network learns.")
        return
    share = min(1.0, curve.epochs[-1] / run.config.epochs) if curve.epochs else 0.0
    st.progress(
        0.0 if run.status == "queued" else share,
        f"{escaped(run.name)} · {progress(run, curve, share, earlier)}",
    )


def progress(run: RunRecord, curve: Curve, share: float, earlier: bool) -> str:
    """How far a run is, or how it ended."""
    if run.status == "queued":
        return waiting(services.run_manager().place(run.id))
    if run.status == "running":
        if not curve.epochs:
            return "Getting ready…"
        return f"{share:.0%} · {duration(curve.eta_s)} left · {curve.images_per_s:,.0f} images/s"
    ending = ENDINGS.get(run.status, run.status)
    return f"{ending}, earlier, with other settings than those chosen now" if earlier else ending


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
        clicked = st.button(
            "Look inside",
            icon=":material/visibility:",
            key="look_inside",
            on_click=weights_listed.look_inside,
            args=(run,),
            help="What each layer makes of a picture with the weights that this run has learned.",
        )
        if clicked:
            st.rerun()  # another view is open now


def _last(values: Sequence[float], form: str) -> str:
    return form.format(values[-1]) if values else "–"


def _recent(values: Sequence[float], form: str) -> str:
    """The mean of the last points: one batch alone says little."""
    last = values[-10:]
    return form.format(sum(last) / len(last)) if last else "–"
