"""The grid of learning rates: short runs with and without batch norm, coloured as they come in."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from cnnlab.experiments import rate_grid
from cnnlab.experiments.outcome import of_record
from cnnlab.experiments.rate_grid import BATCH_SIZES, CAME_TO, RATES, Cell, State
from cnnlab.runs.entries import Entry
from cnnlab.runs.store import ACTIVE, RunRecord
from cnnlab.training.endings import RAN_AWAY
from pages.components import (
    charts,
    experiment_pictures,
    focus,
    group_progress,
    price,
    rate_chart,
    services,
    state,
)
from pages.components.group_buttons import attempt, stop

# Where its runs belong: they are no training of the page's own.
PAGE = "learning_rates"
NAME = "Learning rates, batches of {}"
TICK_S = 1.0
# Eight beside each other in the column of the text, and four on a phone.
CELL_PX = 75
# The newest runs among which the last grid of each kind is looked for.
LOOKED_AT = 200
CHOSEN = "rate_grid.chosen"
SIGNS: Mapping[State, str] = {
    "waiting": ":material/more_horiz:",
    "running": ":material/hourglass_top:",
    "learns": ":material/check:",
    "slow": ":material/south_east:",
    "stuck": ":material/remove:",
    "diverged": ":material/close:",
    "stopped": ":material/stop:",
}
MORE = (
    "One seed for each cell: a neighbour may come out otherwise with the next one. The card below "
    "asks the same question over three seeds."
)


def show() -> None:
    """The choice, Start and Stop, and the last grid of this visitor with these settings."""
    with st.container(border=True, key="rate_grid"):
        st.markdown(
            "**How high can the learning rate go?** LeNet with ReLU, Kaiming's first weights and "
            f"plain SGD: {len(RATES)} learning rates, with and without batch norm."
        )
        size = (
            st.segmented_control(
                "Pictures in a batch",
                BATCH_SIZES,
                default=BATCH_SIZES[1],
                required=True,
                key="rate_grid.size",
            )
            or BATCH_SIZES[1]
        )
        is_ready = experiment_pictures.choice()
        dataset = experiment_pictures.chosen()
        runs = last(size, dataset)
        active = any(run.status in ACTIVE for run in runs)
        buttons(size, dataset, runs, can_start=is_ready and not active)
        if not active:
            each = f"{len(rate_grid.CELLS)} cells of {rate_grid.steps(size):,} steps"
            price.show(partial(total_s, size, dataset), each)
        st.fragment(results, run_every=TICK_S if active else None)(size, dataset, active)
        st.caption(f"{rate_grid.rule(dataset)} {MORE}")
        focus.settle()


def last(size: int, dataset: str) -> list[RunRecord]:
    """The runs of the visitor's newest grid with these settings; none where there is none."""
    store = services.store()
    for run in store.runs(state.visitor(), page=PAGE, limit=LOOKED_AT):
        here = (run.config.batch_size, run.config.dataset) == (size, dataset)
        if here and run.group_id and rate_grid.cell_of(run.config):
            return store.groups.runs(run.group_id)
    return []


def buttons(size: int, dataset: str, runs: Sequence[RunRecord], *, can_start: bool) -> None:
    """Start and Stop."""
    active = any(run.status in ACTIVE for run in runs)
    row = st.container(horizontal=True)
    if row.button(
        "Start again" if runs else "Start",
        type="primary",
        icon=":material/play_arrow:",
        disabled=not can_start,
        key="rate_grid_start",
    ):
        attempt(partial(start, size, dataset), then="rate_grid_stop")
    if row.button("Stop", icon=":material/stop:", disabled=not active, key="rate_grid_stop"):
        attempt(partial(stop, runs), then="rate_grid_start")


def start(size: int, dataset: str) -> None:
    """Submit all runs as one group. Raises: CnnLabError where that cannot be done."""
    services.run_manager().submit_group(
        rate_grid.configs(size, dataset), state.visitor(), PAGE, NAME.format(size)
    )


def total_s(size: int, dataset: str) -> float | None:
    """Seconds for all cells, whatever their rate; None as long as the speed is not known."""
    manager = services.run_manager()
    pair = [rate_grid.config(cell, size, dataset) for cell in rate_grid.CELLS[:2]]
    found = [(one, manager.estimate(one)) for one in pair]
    run_s = [known.run_s(one) for one, known in found if known and not known.problem]
    return rate_grid.price_s(run_s, manager.at_once(pair[0])) if len(run_s) == len(pair) else None


def results(size: int, dataset: str, was_active: bool) -> None:
    """Progress, cells, and the curve of the chosen one; drawn again while runs go on."""
    services.run_manager().seen(state.visitor())
    runs = last(size, dataset)
    active = any(run.status in ACTIVE for run in runs)
    if active != was_active:
        st.rerun()  # the buttons outside have to change too
    if runs:
        entry = Entry(tuple(runs), runs[0].group_id)
        latest = services.store().latest([run.id for run in runs])
        st.progress(*group_progress.progress(entry, latest))
    known = {cell: run for run in runs if (cell := rate_grid.cell_of(run.config))}
    states = {cell: came_to(run) for cell, run in known.items()}
    cells(states)
    if told := rate_grid.told(states):
        st.markdown(told)
    chosen = known.get(chosen_cell())
    if chosen is None:
        st.caption("A click on a cell opens its curve." if runs else "Cells fill in as runs end.")
        return
    curve_of(chosen, known, states)


def came_to(run: RunRecord) -> State:
    """What a run came to; the curve of one that goes on is not needed for that."""
    if run.status in rate_grid.UNDER_WAY:
        return rate_grid.UNDER_WAY[run.status]
    outcome = of_record(run, services.curve(run))
    return rate_grid.state(outcome, run.message.startswith(RAN_AWAY))


def cells(states: Mapping[Cell, State]) -> None:
    """Two rows of buttons, each in the colour and with the sign of what its run came to."""
    for batch_norm in (True, False):
        st.caption("With batch norm" if batch_norm else "Without")
        row = st.container(horizontal=True, gap="xsmall", key=f"rate_row_{batch_norm}")
        for lr in RATES:
            cell = Cell(batch_norm, lr)
            came = states.get(cell, "empty")
            mark = "chosen" if cell == chosen_cell() else "plain"
            place = row.container(width=CELL_PX, key=f"rate_{came}_{mark}_{batch_norm}_{lr:g}")
            place.button(
                f"{lr:g}",
                icon=SIGNS.get(states.get(cell, "waiting")) if states else None,
                disabled=cell not in states,
                key=f"rate_cell.{batch_norm}.{lr:g}",
                help=f"{cell.name}: {came}",
                width="stretch",
                on_click=state.put,
                args=(CHOSEN, cell),
            )
    legend = " · ".join(f"{SIGNS[one]} {one}" for one in CAME_TO)
    st.caption(f"Learning rate, and what came of it: {legend}")


def chosen_cell() -> Cell:
    """The cell whose curve is open; at first one where both rows can be compared."""
    found = state.get(CHOSEN)
    return found if isinstance(found, Cell) else Cell(True, RATES[3])


def curve_of(run: RunRecord, known: Mapping[Cell, RunRecord], states: Mapping[Cell, State]) -> None:
    """The loss of a cell, and that of the one above or below it for comparison."""
    cell = chosen_cell()
    other = Cell(not cell.batch_norm, cell.lr)
    lines = [(cell.name, services.curve(run))]
    if beside := known.get(other):
        lines.append((other.name, services.curve(beside)))
    accuracy = run.figures.get("test_accuracy")
    tested = f", test accuracy {accuracy:.0%}" if accuracy is not None else ""
    st.markdown(f"**{cell.name.capitalize()}: {states[cell]}**{tested}.")
    st.plotly_chart(
        rate_chart.chart(lines, run.config.dataset, rate_grid.steps(run.config.batch_size)),
        config=charts.PLAIN,
        key="rate_chart",
        alt=f"Training loss of LeNet {cell.name}, and of its counterpart.",
    )
