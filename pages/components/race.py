"""The race: choose networks, start them as one group, watch them, read who came first."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from cnnlab.compare.contenders import Contender, Size, contenders
from cnnlab.compare.race import FEWEST, MOST, TERMS, Axis, Equal, Race, equal_in, title_in_race
from cnnlab.compare.standings import Standing, standings, told
from cnnlab.datasets import DATASETS
from cnnlab.errors import CnnLabError
from cnnlab.experiments.outcome import Outcome, of_record
from cnnlab.runs.entries import Entry
from cnnlab.runs.store import ACTIVE, RunRecord
from pages.components import (
    charts,
    data_state,
    group_progress,
    price,
    race_chart,
    services,
    state,
)
from pages.components.durations import duration
from pages.components.group_buttons import attempt, stop
from pages.components.markdown import escaped
from pages.components.runs_table import ROW_PX, STATUS, percent

PAGE = "compare"
TICK_S = 1.0
AXES: tuple[Axis, ...] = ("seconds", "images", "steps")
FIRST = ("lenet", "vgg", "resnet")
NOTE = (
    "Each network trains by its own recipe, and all of them at once as one group. Equal time asks "
    "what a machine buys; equal images, who learns most from the same pictures."
)


def show(size: Size, dataset: str) -> None:
    """The choice, Start and Stop, and the last race of this visitor."""
    st.subheader("The race", anchor=False)
    st.markdown(NOTE)
    runs = last_race()
    active = any(run.status in ACTIVE for run in runs)
    race = chosen(size, dataset)
    if data_state.offer(dataset):
        buttons(race, runs, active)
        if race:
            price_of(race)
    if runs:
        st.fragment(results, run_every=TICK_S if active else None)(active)
    else:
        st.caption("Curves and results of your race will stand here.")


def last_race() -> list[RunRecord]:
    """The runs of the visitor's newest race, in the order in which they were chosen."""
    store = services.store()
    newest = store.runs(state.visitor(), page=PAGE, limit=1)
    group = newest[0].group_id if newest else None
    return store.groups.runs(group) if group else []


def chosen(size: Size, dataset: str) -> Race | None:
    """Who races on which terms; None where that is no race yet."""
    offered = {one.id: one for one in contenders(size)}
    names = st.multiselect(
        f"Networks, {FEWEST} to {MOST}",
        list(offered),
        [name for name, one in offered.items() if one.network in FIRST and one.is_plain],
        format_func=lambda name: offered[name].title,
        max_selections=MOST,
        key=f"race.{size}",
        bind="query-params",
    )
    row = st.container(horizontal=True, vertical_alignment="bottom")
    equal: Equal = (
        row.segmented_control(
            "What is equal",
            list(TERMS),
            default="time",
            format_func=lambda name: TERMS[name].title,
            required=True,
            key="race.equal",
            bind="query-params",
        )
        or "time"
    )
    terms = TERMS[equal]
    amount = row.select_slider(
        f"How much each gets, in {'seconds' if terms.unit == 's' else terms.unit}",
        terms.amounts,
        terms.begin,
        format_func=lambda one: f"{one:,}",
        key=f"race.amount.{equal}",
        bind="query-params",
        width=280,
    )
    try:
        return Race(tuple(offered[name] for name in names), dataset, equal, amount)
    except CnnLabError as error:
        st.info(str(error), icon=":material/groups:")
        return None


def buttons(race: Race | None, runs: Sequence[RunRecord], active: bool) -> None:
    """Start and Stop."""
    row = st.container(horizontal=True)
    if row.button(
        "Start the race",
        type="primary",
        icon=":material/flag:",
        disabled=active or not (race and can_start(race)),
        key="race_start",
    ):
        assert race is not None, "the button is disabled without"
        attempt(partial(start, race), then="race_stop")
    if row.button("Stop", icon=":material/stop:", disabled=not active, key="race_stop"):
        attempt(partial(stop, runs), then="race_start")


def start(race: Race) -> None:
    """Submit all runs as one group. Raises: CnnLabError where that cannot be done."""
    manager = services.run_manager()
    titles = [one.title for one in race.contenders]
    configs = race.configs(manager.estimate)
    manager.submit_group(configs, state.visitor(), PAGE, race.name, titles)


def can_start(race: Race) -> bool:
    """Whether it can be planned, and nobody would be stopped by the server.

    Against the clock it is planned by the speeds. They come as soon as the machine is free, and
    until then the race would only wait.
    """
    known = race.equal != "time" or race.price_s(services.run_manager().estimate) is not None
    return known and not too_long(race)


def too_long(race: Race) -> list[Contender]:
    """Who would be stopped by the server before the end."""
    manager = services.run_manager()
    foreseen = race.price_s(manager.estimate) or {}
    return [one for one, seconds in foreseen.items() if seconds > manager.settings.run_limit_s]


def price_of(race: Race) -> None:
    """What the race takes, before it is started; asked for again as long as it is not known."""
    known = services.run_manager()
    is_open = race.price_s(known.estimate) is None and not problems(race)
    st.fragment(price_line, run_every=price.TICK_S if is_open else None)(race, is_open)


def problems(race: Race) -> list[str]:
    """Why networks of the race cannot be trained here, as far as is known."""
    manager = services.run_manager()
    found = {one: manager.estimate(one.config(race.dataset)) for one in race.contenders}
    return [
        f"{one.title}: {known.problem}" for one, known in found.items() if known and known.problem
    ]


def price_line(race: Race, was_open: bool) -> None:
    """One line with the time of all runs, or a warning."""
    manager = services.run_manager()
    found, broken = race.price_s(manager.estimate), problems(race)
    if was_open and (found is not None or broken):
        st.rerun()  # to be asked no more
    for problem in broken:
        st.warning(problem, icon=":material/memory:")
    if found is None:
        if not broken:
            st.caption(price.NOT_KNOWN)
        return
    limit_s = manager.settings.run_limit_s
    if slow := too_long(race):
        names = ", ".join(one.title for one in slow)
        st.warning(
            f"{names} would be stopped after {duration(limit_s)}. Choose a smaller amount, or "
            "other networks.",
            icon=":material/timer:",
        )
        return
    at_once = min(len(found), manager.at_once(race.contenders[0].config(race.dataset)))
    total_s = max(*found.values(), sum(found.values()) / max(1, at_once))
    st.caption(
        f":material/timer: About **{duration(total_s)}** for all, {at_once} at a time. "
        f"{same_batches(race)}"
    )


def same_batches(race: Race) -> str:
    """Where images and steps are the same thing, that is said."""
    sizes = {one.config(race.dataset).batch_size for one in race.contenders}
    if len(sizes) > 1 or race.equal == "time":
        return ""
    return f"All take {sizes.pop()} pictures a step: equal steps are equal images here."


def results(was_active: bool) -> None:
    """Progress, curves and standings as they are; drawn again while runs go on."""
    services.run_manager().seen(state.visitor())
    runs = last_race()
    active = any(run.status in ACTIVE for run in runs)
    if active != was_active or not runs:
        st.rerun()  # the buttons outside have to change too
    entry = Entry(tuple(runs), runs[0].group_id)
    share, text = group_progress.progress(entry, services.store().latest([run.id for run in runs]))
    on = DATASETS[runs[0].dataset].title
    st.progress(share, f"{escaped(entry.name)} on {on}: {text}")
    outcomes = [of_record(run, services.curve(run)) for run in runs]
    equal = equal_in([run.config for run in runs])
    axis = st.segmented_control(
        "Against",
        AXES,
        default=TERMS[equal].axis,
        required=True,
        key=f"race.axis.{equal}",
    )
    draw(outcomes, axis or TERMS[equal].axis)
    if not active:
        with st.container(border=True, key="race_verdict"):
            st.markdown(" ".join(told(outcomes)))
    table(standings(outcomes))
    for run in runs:
        if run.status in ("failed", "interrupted") and run.message:
            st.error(f"{title_in_race(run.config)}: {run.message}", icon=":material/error:")


def draw(outcomes: Sequence[Outcome], axis: Axis) -> None:
    """All curves in one chart."""
    st.plotly_chart(
        race_chart.chart(outcomes, axis),
        config=charts.PLAIN,
        key="race_chart",
        alt=f"Accuracy of the networks of the race against {axis}.",
    )
    st.caption(race_chart.NOTE)


def table(found: Sequence[Standing]) -> None:
    """A row for each network, the first one on top."""
    st.dataframe(
        [
            {
                "Network": one.title,
                "Test accuracy": percent(one.accuracy),
                "Training loss": one.train_loss,
                "Seconds": one.seconds,
                "Images": one.images,
                "Steps": one.steps,
                "State": STATUS.get(one.status, one.status),
            }
            for one in found
        ],
        height=ROW_PX * (len(found) + 1) + 3,
        hide_index=True,
        placeholder="–",
        key="race_standings",
        alt="Where the networks of the race stand.",
        column_config={
            "Network": st.column_config.TextColumn(pinned=True),
            "Test accuracy": st.column_config.NumberColumn(format="%.1f %%"),
            "Training loss": st.column_config.NumberColumn(format="%.3f"),
            "Seconds": st.column_config.NumberColumn(format="%.1f"),
            "Images": st.column_config.NumberColumn(format="localized"),
            "Steps": st.column_config.NumberColumn(format="localized"),
        },
    )
