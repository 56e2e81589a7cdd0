"""How long an experiment takes here, said before it is run."""

import math

import streamlit as st

from cnnlab.experiments import SEEDS, Experiment
from pages.components import services
from pages.components.durations import duration

TICK_S = 1.5


def show(experiment: Experiment, dataset: str) -> None:
    """The expected time; asked for again as long as it is not known."""
    known = total_s(experiment, dataset) is not None
    st.fragment(line, run_every=None if known else TICK_S)(experiment, dataset, known)


def line(experiment: Experiment, dataset: str, known: bool) -> None:
    """One line with the time of all runs."""
    found = total_s(experiment, dataset)
    if found is not None and not known:
        st.rerun()  # to be asked no more
    if found is None:
        st.caption(":material/timer: How long it takes is measured as soon as the machine is free.")
    else:
        st.caption(f":material/timer: About **{duration(found)}** for all runs on this machine.")


def total_s(experiment: Experiment, dataset: str) -> float | None:
    """Seconds for all arms and seeds; None as long as the speed of one is not known."""
    manager = services.run_manager()
    configs = [experiment.config(arm, dataset=dataset) for arm in experiment.arms]
    budget_s = experiment.run.get("budget_s")
    total = 0.0
    for config in configs:
        if budget_s is not None:
            total += budget_s
            continue
        found = manager.estimate(config)
        if found is None or found.problem:
            return None
        total += found.run_s(config)
    at_once = min(len(configs) * len(SEEDS), manager.at_once(configs[0]))
    return total * len(SEEDS) / max(1, at_once) if math.isfinite(total) else None
