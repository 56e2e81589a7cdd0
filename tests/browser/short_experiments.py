"""The app with experiments that are over at once: `python -m` this with Streamlit's arguments.

Cards, queue, workers and verdicts are the real ones; a run ends after a fraction of a second, and
each arm runs with one seed.
"""

import sys
from collections.abc import Sequence
from functools import cache

import cnnlab.experiments
from cnnlab.exercises import Arm
from cnnlab.experiments import Experiment, rate_grid
from cnnlab.experiments.rate_grid import Cell
from cnnlab.training import RunConfig

SEEDS = (0,)
BUDGET_S = 0.2


def shorten() -> None:
    """Give every run of every experiment a budget of its own; what makes the arms differ stays."""
    whole = Experiment.config
    cnnlab.experiments.SEEDS = SEEDS  # type: ignore[assignment]

    def config(self: Experiment, arm: Arm, seed: int = 0, dataset: str | None = None) -> RunConfig:
        return whole(self, arm, seed, dataset).replace(budget_s=BUDGET_S)

    Experiment.config = config  # type: ignore[method-assign]
    whole_cell = rate_grid.config

    @cache
    def cell(cell: Cell, batch_size: int, dataset: str) -> RunConfig:
        return whole_cell(cell, batch_size, dataset).replace(budget_s=BUDGET_S)

    rate_grid.config = cell


def main(arguments: Sequence[str]) -> None:
    shorten()
    from streamlit.web import cli

    cli.main(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
