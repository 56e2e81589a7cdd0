"""How high can the learning rate go? A grid of short runs, and what each of them came to."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from cnnlab.datasets import DATASETS
from cnnlab.errors import ConfigError
from cnnlab.exercises.exercise import trained
from cnnlab.experiments.outcome import Outcome
from cnnlab.runs.smoothing import smoothed
from cnnlab.training import RunConfig

# A factor of three to three and a half from each to the next.
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
# For every size of a batch the training pictures and epochs: so many that the best cells learn, and
# a grid takes about as long. The smaller the batch, the more steps that is.
PASSES: Mapping[int, tuple[int, int]] = {8: (4000, 2), 32: (4000, 4), 128: (6400, 4)}
BATCH_SIZES = tuple(PASSES)
# Shares of the loss that guessing costs: below the first a run learns, below the second slowly;
# above the third it is worse off than it began, whatever it does next.
LEARNS, SLOW, LOST = 0.75, 0.97, 2.0

State = Literal["waiting", "running", "learns", "slow", "stuck", "diverged", "stopped"]
# What a run can come to.
CAME_TO: tuple[State, ...] = ("learns", "slow", "stuck", "diverged")
UNDER_WAY: Mapping[str, State] = {"queued": "waiting", "running": "running"}


@dataclass(frozen=True)
class Cell:
    """A place in the grid: with or without batch norm, at a learning rate."""

    batch_norm: bool
    lr: float

    @property
    def name(self) -> str:
        return f"{'with' if self.batch_norm else 'without'} batch norm at {self.lr:g}"


# The columns from left to right, so that both rows fill up together.
CELLS = tuple(Cell(batch_norm, lr) for lr in RATES for batch_norm in (True, False))


@lru_cache(maxsize=256)
def config(cell: Cell, batch_size: int, dataset: str) -> RunConfig:
    """The run of a cell: LeNet with ReLU, first weights that fit it, plain SGD.

    Raises: ConfigError for a batch size or a data set that is not offered.
    """
    if batch_size not in PASSES:
        raise ConfigError(
            f"batch_size: {batch_size!r} was given; the grid is made for one of "
            f"{', '.join(map(str, PASSES))}."
        )
    train_size, epochs = PASSES[batch_size]
    arm = trained(
        cell.name,
        "lenet",
        activation="relu",
        pooling="average",
        batch_norm=cell.batch_norm,
        lr=cell.lr,
        momentum=0.0,
        init="kaiming",
        batch_size=batch_size,
        train_size=train_size,
        epochs=epochs,
    )
    return arm.config(dataset=dataset).replace(evaluate="end")


def configs(batch_size: int, dataset: str) -> list[RunConfig]:
    """The runs of all cells."""
    return [config(cell, batch_size, dataset) for cell in CELLS]


def cell_of(run: RunConfig) -> Cell | None:
    """Where in the grid a run belongs; None for one of another version of the grid."""
    if run.network != "lenet" or run.batch_size not in PASSES:
        return None
    used = {"precision": run.precision, "device": run.device}
    for cell in CELLS:
        if cell.lr == run.lr:
            # Asked for every run at every tick: what was checked once is not checked again.
            own = config(cell, run.batch_size, run.dataset).model_copy(update=used)
            if own == run:
                return cell
    return None


def steps(batch_size: int) -> int:
    """Steps of every run in the grid."""
    train_size, epochs = PASSES[batch_size]
    return train_size // batch_size * epochs


def guessing(dataset: str) -> float:
    """The loss of whoever gives every class the same share."""
    return math.log(DATASETS[dataset].num_classes)


def state(outcome: Outcome, ran_away: bool = False) -> State:
    """What a run came to, by its smoothed training loss at the end.

    `ran_away` says of one that could not go on that its loss was no number any more.
    """
    if outcome.status in UNDER_WAY:
        return UNDER_WAY[outcome.status]
    if outcome.failed and ran_away:
        return "diverged"
    losses = smoothed(outcome.curve.train_loss)
    if outcome.status != "finished" or not losses:
        return "stopped"
    share = losses[-1] / guessing(outcome.config.dataset)
    if not math.isfinite(share) or share > LOST:
        return "diverged"
    return "learns" if share < LEARNS else "slow" if share < SLOW else "stuck"


def rule(dataset: str) -> str:
    """How a run is judged, in words."""
    loss = guessing(dataset)
    return (
        f"Guessing costs a loss of {loss:.2f}. A run **learns** if its training loss (smoothed) "
        f"ends below {LEARNS * loss:.2f}, three quarters of that. It is **slow** below "
        f"{SLOW * loss:.2f}, **stuck** above, and has **diverged** where it ends above "
        f"{LOST * loss:.2f} or the loss is no number any more."
    )


def told(states: Mapping[Cell, State]) -> str:
    """Which is the largest rate that learns, with and without batch norm; nothing before the end.

    A grid that was stopped is told as far as it goes.
    """
    if any(one in UNDER_WAY.values() for one in states.values()) or not states:
        return ""
    highest = {norm: largest(states, norm) for norm in (True, False)}
    with_norm, without = highest[True], highest[False]
    if "stopped" in states.values() and not (with_norm or without):
        return "Stopped before a cell had learned."
    sentence = f"Largest rate that learns: with batch norm **{said(with_norm)}**, without "
    sentence += f"**{said(without)}**."
    if with_norm and without:
        factor = with_norm / without
        sentence += " Both reach the same." if factor == 1 else f" A factor of {factor:.3g}."
    if "stopped" in states.values():
        sentence += " Some cells were stopped, so this may not be all."
    return sentence


def largest(states: Mapping[Cell, State], batch_norm: bool) -> float | None:
    """The largest rate that learns; None where none does."""
    rates = [c.lr for c, one in states.items() if c.batch_norm == batch_norm and one == "learns"]
    return max(rates, default=None)


def said(rate: float | None) -> str:
    """A rate as it is read."""
    return "none of these" if rate is None else f"{rate:g}"


def price_s(run_s: Sequence[float], at_once: int) -> float:
    """Seconds for all cells, from those of one run with and one without batch norm."""
    return sum(run_s) * len(RATES) / max(1, min(at_once, len(CELLS)))
