"""Metrics: units that never fire, and classes that are never named."""

import math
from dataclasses import dataclass
from typing import ClassVar

from cnnlab.experiments.metrics import Curves
from cnnlab.experiments.outcome import Outcome


@dataclass(frozen=True)
class DeadUnits:
    """Share of the units behind a ReLU that fire for no picture of the last observed batch.

    A channel is one unit, over all pixels. The mean over the ReLU layers, so that a wide layer
    counts no more than a narrow one; needs the `layer_statistics` probe.
    """

    name: str = "units that fire for no picture of the last batch"
    unit: str = ""
    higher_is_better: bool = False
    curves: Curves = "loss"
    is_seen: ClassVar[bool] = False
    goal: ClassVar[None] = None

    def read(self, outcome: Outcome) -> float:
        shares: dict[int, list[float]] = {}
        for measured in outcome.measurements:
            share = measured.values.get("dead")
            if measured.kind == "layer_statistics" and isinstance(share, int | float):
                shares.setdefault(measured.step, []).append(share)
        if not shares:
            return math.inf
        last = shares[max(shares)]
        return sum(last) / len(last)

    def text(self, value: float) -> str:
        return f"{value:.0%}" if math.isfinite(value) else "none was measured"

    def apart(self, better: float, worse: float) -> str:
        if not math.isfinite(worse):
            return "only one was measured"
        return f"{100 * (worse - better):.0f} points fewer"


@dataclass(frozen=True)
class DeadClasses:
    """How many classes the network names for no picture of the test set, at the end."""

    name: str = "classes that are never named at the end"
    unit: str = ""
    higher_is_better: bool = False
    curves: Curves = "accuracy"
    is_seen: ClassVar[bool] = False
    goal: ClassVar[None] = None

    def read(self, outcome: Outcome) -> float:
        named = outcome.figures.get("named")
        return math.inf if named is None else float(sum(count == 0 for count in named))

    def text(self, value: float) -> str:
        return f"{value:.0f}" if math.isfinite(value) else "not counted"

    def apart(self, better: float, worse: float) -> str:
        return f"{worse - better:.0f} fewer" if math.isfinite(worse) else "only one was counted"
