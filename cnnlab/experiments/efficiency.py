"""Metrics: what an accuracy costs in parameters or in arithmetic."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from cnnlab import catalog
from cnnlab.experiments.metrics import AtEnd, Curves
from cnnlab.experiments.outcome import Outcome
from cnnlab.summary import layers
from cnnlab.trace import trace_of
from cnnlab.training.config import RunConfig

Cost = Literal["params", "macs"]
MILLION = 1e6
COSTS: dict[Cost, str] = {"params": "parameters", "macs": "multiply-accumulates for one picture"}


@dataclass(frozen=True)
class Efficiency:
    """Points of test accuracy at the end by millions of parameters, or of multiply-accumulates.

    Nothing is taken off for guessing, which yields points for no parameters at all: a small network
    looks good by this figure even where it has learned little.
    """

    cost: Cost = "params"
    unit: str = " points"
    higher_is_better: bool = True
    curves: Curves = "accuracy"
    is_seen: ClassVar[bool] = False
    goal: ClassVar[None] = None

    @property
    def name(self) -> str:
        return f"points of test accuracy by million {COSTS[self.cost]}"

    def read(self, outcome: Outcome) -> float:
        return 100 * AtEnd("test_accuracy").read(outcome) / millions(outcome.config, self.cost)

    def text(self, value: float) -> str:
        if not math.isfinite(value):
            return "diverged"
        return f"{value:,.0f} points" if value >= 10 else f"{value:.1f} points"

    def apart(self, better: float, worse: float) -> str:
        if not math.isfinite(worse):
            return "only one does not diverge"
        return f"{better / worse:.1f} times as many" if worse > 0 else "more"


def millions(config: RunConfig, cost: Cost) -> float:
    """Parameters or multiply-accumulates of a run's network for one picture, in millions."""
    spec = catalog.network(config.network)
    table = layers(trace_of(spec, config.options, config.image_size))
    return float(getattr(table, cost)) / MILLION
