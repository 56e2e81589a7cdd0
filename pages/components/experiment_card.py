"""The card of an experiment: question, claim, prediction, runs, verdict, and why."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from cnnlab.errors import CnnLabError
from cnnlab.experiments import SEEDS, Experiment, Outcome, Verdict, measured
from cnnlab.experiments.report import conclusion, rows
from cnnlab.experiments.verdict import capital
from cnnlab.runs.entries import Entry
from cnnlab.words import inside, words
from pages.components import (
    augmented_pictures,
    charts,
    experiment_chart,
    experiment_figure,
    experiment_pictures,
    experiment_price,
    experiment_runs,
    focus,
    group_progress,
    inside_run,
    links,
    price,
    services,
    state,
)
from pages.components.experiment_runs import Trial
from pages.components.group_buttons import attempt, stop

TICK_S = 1.0
ICONS = {"claimed": ":material/check:", "open": ":material/question_mark:"}
AGAINST = ":material/close:"


def show(experiment: Experiment) -> None:
    """The whole card; nothing of a result is shown before the reader has predicted."""
    found = experiment_runs.trial(experiment)
    st.subheader(experiment.question, anchor=False)
    st.markdown(f"**The claim.** {experiment.claim} :gray[{experiment.source}.]")
    if found.prediction is None:
        what_is_run(experiment, experiment_pictures.chosen())
        predict(experiment)
        return
    answer = experiment.rule.answers.get(found.prediction.answer, found.prediction.answer)
    st.markdown(f"**You predict.** {answer}.")
    is_ready = bool(found.runs) or experiment_pictures.choice()
    buttons(found, is_ready)
    if found.runs:
        tick_s = TICK_S if found.is_active else None
        st.fragment(results, run_every=tick_s)(experiment, found.is_active)
    what_is_run(experiment, found.dataset or experiment_pictures.chosen())
    focus.settle()


def what_is_run(experiment: Experiment, dataset: str) -> None:
    """The arms by the settings that differ, each with a button that opens it, and the price."""
    st.markdown(f"**What is run.** {arms_said(experiment)}")
    st.dataframe(
        experiment.counts(), hide_index=True, placeholder="–", key=f"counts.{experiment.id}"
    )
    price.show(partial(experiment_price.total_s, experiment, dataset), "all runs")
    augmented_pictures.of_arms(
        {arm.name: experiment.config(arm, dataset=dataset) for arm in experiment.arms}
    )
    with st.container(horizontal=True):
        for arm in experiment.arms:
            st.button(
                f"Open “{arm.name}”",
                icon=":material/arrow_forward:",
                type="tertiary",
                key=f"open.{experiment.id}.{arm.name}",
                help="Opens Train with these settings.",
                on_click=links.apply,
                args=(
                    experiment.section,
                    "Train",
                    arm.configuration.with_changes(dataset=dataset),
                ),
            )


def arms_said(experiment: Experiment) -> str:
    """What the arms have in common, and what not."""
    differs = " and ".join(inside(words(name)) for name in experiment.differs)
    names = ", ".join(f"*{arm.name}*" for arm in experiment.arms)
    return (
        f"{len(experiment.arms)} arms that differ in {differs} and in nothing else: {names}. Each "
        f"with {len(SEEDS)} seeds. {experiment.rule.says(experiment.metric)}"
    )


def predict(experiment: Experiment) -> None:
    """A button for each answer; one click predicts."""
    st.markdown("**What do you think will come out?**")
    with st.container(horizontal=True, key="predictions"):
        for answer, label in experiment.rule.answers.items():
            st.button(
                label,
                key=f"predict.{experiment.id}.{answer}",
                on_click=keep,
                args=(experiment, answer),
            )


def keep(experiment: Experiment, answer: str) -> None:
    """Make this the visitor's prediction; for the callback of a button."""
    try:
        services.store().predictions.predict(state.visitor(), experiment.id, answer)
        focus.hand_to("experiment_run")
    except CnnLabError as error:
        st.toast(str(error), icon=":material/error:")


def buttons(found: Trial, is_ready: bool) -> None:
    """Run, Stop and the way to start over, as the experiment stands."""
    experiment = found.experiment
    with st.container(horizontal=True):
        if not found.runs and st.button(
            "Run",
            type="primary",
            icon=":material/play_arrow:",
            key="experiment_run",
            disabled=not is_ready,
        ):
            run(experiment, experiment_pictures.chosen())
        if found.runs and not found.is_active:
            once_more(found)
        if found.is_active and st.button("Stop", icon=":material/stop:", key="experiment_stop"):
            attempt(partial(stop, found.runs))
        if not found.is_active and st.button(
            "Start over",
            icon=":material/restart_alt:",
            type="tertiary",
            key="experiment_over",
            help="Predict again. The runs so far stay on the Runs page.",
        ):
            attempt(partial(start_over, experiment))


def once_more(found: Trial) -> None:
    """The ways to run it with the same prediction: again where nothing came out, or elsewhere."""
    again = {} if found.verdict() else {found.dataset: "Run again"}
    others = experiment_pictures.others(found.dataset)
    for name, label in (
        again | {name: f"Run it on {experiment_pictures.title(name)}" for name in others}
    ).items():
        if st.button(
            label,
            icon=":material/play_arrow:",
            key=f"experiment_run.{name}",
            help="With the same prediction. The runs so far stay on the Runs page.",
        ):
            run(found.experiment, name)


def run(experiment: Experiment, dataset: str) -> None:
    """Begin the runs, or say why that cannot be."""
    attempt(partial(experiment_runs.start, experiment, dataset), then="experiment_stop")


def start_over(experiment: Experiment) -> None:
    services.store().predictions.forget(state.visitor(), experiment.id)


def results(experiment: Experiment, was_active: bool) -> None:
    """Progress, curves and verdict as they stand; drawn again while runs go on."""
    services.run_manager().seen(state.visitor())
    found = experiment_runs.trial(experiment)
    if found.is_active != was_active:
        st.rerun()  # the buttons outside have to change too
    progress(found)
    outcomes = found.outcomes()
    arms = experiment.by_arm(outcomes)
    drawn(experiment, arms)
    verdict = experiment.judge(outcomes)
    told(found, verdict)
    inside_run.show(found.begun, f"inside.{experiment.id}")
    if verdict:
        st.dataframe(
            rows(experiment, outcomes), hide_index=True, placeholder="–", key="experiment_rows"
        )


def drawn(experiment: Experiment, arms: Mapping[str, Sequence[Outcome]]) -> None:
    """What is judged, and the curves of training, where these are not the same."""
    names = ", ".join(arms)
    if not experiment.metric.is_seen:
        st.plotly_chart(
            experiment_figure.chart(experiment, arms),
            config=charts.PLAIN,
            key="experiment_figure",
            alt=f"{capital(experiment.metric.name)}, for each of {names}",
        )
    if experiment.metric.curves:
        st.plotly_chart(
            experiment_chart.curves(experiment, arms),
            config=charts.PLAIN,
            key="experiment_chart",
            alt=f"Curves of training of the arms of the experiment: {names}",
        )
    if experiment.ladder is not None:
        st.caption(
            f"A colour's shades stand for the {experiment.ladder.by}: the greyer, the smaller."
        )


def progress(found: Trial) -> None:
    """One line for all runs."""
    entry = Entry(found.runs, found.runs[0].group_id)
    latest = services.store().latest([run.id for run in found.runs])
    share, text = group_progress.progress(entry, latest)
    st.progress(share, text)


def told(found: Trial, verdict: Verdict | None) -> None:
    """The verdict, how the prediction did, and why."""
    experiment = found.experiment
    if verdict is None:
        return
    with st.container(border=True, key="verdict"):
        so_far = "" if verdict.is_final or not found.is_active else "So far. "
        is_claimed = verdict.answer == experiment.rule.claimed
        icon = ICONS["claimed"] if is_claimed else ICONS.get(verdict.answer, AGAINST)
        right = found.prediction is not None and found.prediction.answer == verdict.answer
        yours = "Your prediction was right." if right else "You predicted otherwise."
        said = conclusion(experiment, verdict.answer, verdict.seeds)
        on = f"On {experiment_pictures.title(found.dataset)}."
        st.markdown(f"{icon} **{so_far}{said}** {on} {'' if found.is_active else yours}")
        st.markdown(verdict.sentence)
        if found.is_active:
            return
        st.markdown(f"**Why.** {experiment.why}")
        if experiment.contested:
            st.markdown(f"**What is contested.** {experiment.contested}")
    ours(experiment)


def ours(experiment: Experiment) -> None:
    """What we measured, folded: whoever has run the experiment can compare."""
    known = {name: measured.of(experiment, name) for name in experiment_pictures.OFFERED}
    if not any(known.values()):
        return
    with st.expander("What we measured", icon=":material/science:"):
        for name, found in known.items():
            if found is None:
                continue
            title = experiment_pictures.title(name)
            st.markdown(f"**On {title}.** {found.sentence} {found.conclusion}")
            st.caption(f"{len(SEEDS)} seeds, {found.seconds:.0f} s, {found.machine}, {found.date}.")
