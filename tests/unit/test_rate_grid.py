"""The grid of learning rates: its runs, and what made-up curves came to."""

import math
from itertools import pairwise

import pytest

from cnnlab.errors import ConfigError
from cnnlab.experiments import rate_grid
from cnnlab.experiments.outcome import Outcome
from cnnlab.experiments.rate_grid import BATCH_SIZES, CELLS, RATES, Cell, State
from cnnlab.runs.comparison import flatten
from cnnlab.runs.records import Curve
from cnnlab.training.plan import Plan

CONFIG = rate_grid.config(Cell(True, 0.1), 32, "shapes")
GUESS = math.log(10)


def outcome(*losses: float, status: str = "finished") -> Outcome:
    return Outcome(CONFIG, Curve(train_loss=list(losses)), status)


def test_rates_are_a_factor_of_about_three_apart() -> None:
    factors = [high / low for low, high in pairwise(RATES)]
    assert len(RATES) == 8
    assert all(2.9 < factor < 3.5 for factor in factors)


@pytest.mark.parametrize("size", BATCH_SIZES)
def test_cells_differ_in_nothing_else_and_take_as_many_steps(size: int) -> None:
    runs = rate_grid.configs(size, "shapes")
    assert len(runs) == len(CELLS) == 16
    first = flatten(runs[0])
    differs = {key for run in runs for key, value in flatten(run).items() if first[key] != value}
    assert differs == {"batch_norm", "lr"}
    assert {Plan.of(run, 2000).steps for run in runs} == {rate_grid.steps(size)}
    assert [rate_grid.cell_of(run) for run in runs] == list(CELLS)


def test_a_run_is_known_by_its_settings() -> None:
    assert rate_grid.cell_of(CONFIG.replace(precision="bfloat16", device="cpu")) is not None
    assert rate_grid.cell_of(CONFIG.replace(momentum=0.9)) is None
    assert rate_grid.cell_of(CONFIG.replace(lr=0.2)) is None
    assert rate_grid.cell_of(CONFIG.replace(batch_size=64)) is None


def test_a_size_that_is_not_offered() -> None:
    with pytest.raises(ConfigError, match="77 was given; the grid is made for one of 8, 32, 128"):
        rate_grid.config(Cell(True, 0.1), 77, "shapes")


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([GUESS] * 20 + [0.5] * 40, "learns"),
        ([GUESS * 0.9] * 40, "slow"),
        ([GUESS] * 40, "stuck"),
        # One lucky batch at the end is not learning.
        ([GUESS] * 40 + [1.0], "slow"),
        ([GUESS] * 40 + [2.1], "stuck"),
        # What recovers from a spike learns; what ends far above the beginning does not.
        ([GUESS, 400.0, *[0.8] * 60], "learns"),
        ([GUESS] * 3 + [5.0] * 40, "diverged"),
        ([GUESS] * 3 + [math.inf] * 4, "diverged"),
        ([], "stopped"),
    ],
)
def test_what_a_run_came_to(losses: list[float], expected: State) -> None:
    assert rate_grid.state(outcome(*losses)) == expected


@pytest.mark.parametrize(
    ("status", "ran_away", "expected"),
    [
        ("queued", False, "waiting"),
        ("running", False, "running"),
        ("failed", True, "diverged"),
        ("failed", False, "stopped"),
        ("cancelled", False, "stopped"),
        ("interrupted", False, "stopped"),
    ],
)
def test_a_run_that_did_not_finish(status: str, ran_away: bool, expected: State) -> None:
    assert rate_grid.state(outcome(0.1, status=status), ran_away) == expected


def grid(with_norm: str, without: str) -> dict[Cell, State]:
    """A letter for each rate from the lowest: learns, Slow, stucK, Diverged, stOpped, Waiting."""
    states: dict[str, State] = {
        "l": "learns",
        "s": "slow",
        "k": "stuck",
        "d": "diverged",
        "o": "stopped",
        "w": "waiting",
    }
    rows = ((True, with_norm), (False, without))
    return {
        Cell(norm, lr): states[letter]
        for norm, row in rows
        for lr, letter in zip(RATES, row, strict=True)
    }


def test_how_high_it_can_go() -> None:
    told = rate_grid.told(grid("slllllkk", "sslldddd"))
    assert told == (
        "Largest rate that learns: with batch norm **1**, without **0.1**. A factor of 10."
    )
    assert rate_grid.told(grid("llkkkkkk", "llkkkkkk")).endswith("Both reach the same.")
    assert "without **none of these**." in rate_grid.told(grid("lkkkkkkk", "kkkkkkkk"))
    assert rate_grid.told(grid("slllloow", "ssllddoo")) == ""
    stopped = rate_grid.told(grid("sllllooo", "ssllddoo"))
    assert stopped.endswith("Some cells were stopped, so this may not be all.")
    assert rate_grid.told(grid("sooooooo", "kooooooo")) == "Stopped before a cell had learned."
    assert rate_grid.told({}) == ""


def test_the_rule_in_words_has_its_numbers() -> None:
    assert "below 1.73" in rate_grid.rule("shapes")
    assert "below 2.23" in rate_grid.rule("shapes")
    assert "above 4.61" in rate_grid.rule("fashion_mnist")


def test_the_price() -> None:
    assert rate_grid.price_s([3.0, 1.0], 2) == 16.0
    assert rate_grid.price_s([3.0, 1.0], 0) == 32.0
