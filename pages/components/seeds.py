"""Training with several seeds at once: a group of runs that differ in nothing else."""

import math

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.runs.naming import run_name
from cnnlab.runs.store import RunRecord
from cnnlab.training import RunConfig
from pages.components import services, state
from pages.components.durations import duration

COUNTS = (1, 3, 6, 12)
KEY = "seeds"
NOTE = (
    "With the same settings, each seed draws other first weights and another order of pictures. "
    "How far the curves lie apart is chance; a difference between two settings has to be larger. "
    "On a CPU each of these runs has one core, and takes up to half as long again as one alone."
)


def choice(row: DeltaGenerator) -> int:
    """How many seeds; as many as the operator allows in one group."""
    most = services.run_manager().settings.runs_per_group
    count = row.segmented_control(
        "Seeds",
        [count for count in COUNTS if count <= most],
        default=1,
        format_func=lambda count: "1 seed" if count == 1 else f"{count}",
        required=True,
        key=KEY,
        bind="query-params",
        label_visibility="collapsed",
        help=NOTE,
    )
    return count or 1


def start(config: RunConfig, page: str) -> None:
    """Submit a run, or a group with the chosen number of seeds.

    Raises: CnnLabError where that cannot be done.
    """
    manager, visitor, name = services.run_manager(), state.visitor(), run_name(config)
    # Drawn after Start; this is what it held when Start was pressed.
    count = int(str(state.get(KEY, 1)))
    if count == 1:
        manager.submit(config, visitor, page, name)
        return
    configs = [config.replace(seed=config.seed + number) for number in range(count)]
    manager.submit_group(configs, visitor, page, name)


def stop(active: RunRecord, wait_s: float) -> None:
    """End a run, with all of its group. Raises: CnnLabError where that cannot be done."""
    manager, visitor = services.run_manager(), state.visitor()
    if active.group_id:
        manager.stop_group(active.group_id, visitor, wait_s)
    else:
        manager.stop(active.id, visitor, wait_s)


def price(config: RunConfig, count: int) -> None:
    """The time that all runs take, as soon as that of one is known; nothing for one seed."""
    manager = services.run_manager()
    found = manager.estimate(config)
    if count == 1 or found is None or found.problem:
        return
    at_once = min(count, manager.at_once(config))
    all_s = found.run_s(config) * math.ceil(count / at_once)
    beside = f", {at_once} at a time" if at_once > 1 else ", one after the other"
    st.caption(
        f":material/stacks: {count} seeds take about **{duration(all_s)}**{beside}. Each may take "
        f"{duration(manager.settings.run_limit_s)} at most, and one Stop ends all of them.",
        help=NOTE,
    )
