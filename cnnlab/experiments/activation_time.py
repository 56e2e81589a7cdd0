"""Metrics: what the activation functions of a training step cost in time."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from cnnlab.experiments.outcome import Outcome
from cnnlab.training.events import Measurement

Part = Literal["forward", "backward", "both"]
KIND = "activation_cost"
PASSES: dict[Part, tuple[str, ...]] = {
    "forward": ("forward_s",),
    "backward": ("backward_s",),
    "both": ("forward_s", "backward_s"),
}
TITLES: dict[Part, str] = {
    "forward": "forward through the activations",
    "backward": "backward through the activations",
    "both": "activations of a step, forward and backward",
}
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class ActivationTime:
    """Time in all activation layers of a step; needs the `activation_cost` probe.

    The median over the observed steps, so that a step that had to wait does not count.
    Units: milliseconds.
    """

    part: Part = "both"
    unit: str = " ms"
    higher_is_better: bool = False
    curves: None = None
    is_seen: ClassVar[bool] = False
    goal: ClassVar[None] = None

    @property
    def name(self) -> str:
        return TITLES[self.part]

    def read(self, outcome: Outcome) -> float:
        return 1000 * _median(outcome, lambda step: _activations_s(step, self.part))

    def text(self, value: float) -> str:
        return f"{value:.2f} ms" if math.isfinite(value) else NOT_MEASURED

    def apart(self, better: float, worse: float) -> str:
        return f"{worse / better:.1f} times faster" if math.isfinite(worse) else "only one came"


@dataclass(frozen=True)
class ActivationShare:
    """What share of a step's forward and backward pass the activation layers take.

    The median over the observed steps; needs the `activation_cost` probe.
    """

    name: str = "share of the forward and backward pass"
    unit: str = ""
    higher_is_better: bool = False
    curves: None = None
    is_seen: ClassVar[bool] = False
    goal: ClassVar[None] = None

    def read(self, outcome: Outcome) -> float:
        return _median(outcome, lambda step: _activations_s(step, "both") / _pass_s(step))

    def text(self, value: float) -> str:
        return f"{value:.1%}" if math.isfinite(value) else NOT_MEASURED

    def apart(self, better: float, worse: float) -> str:
        return f"{100 * (worse - better):.1f} points less" if math.isfinite(worse) else "one came"


def _median(outcome: Outcome, read: Callable[[Sequence[Measurement]], float]) -> float:
    """The median of a figure over the observed steps; infinite where none was observed."""
    steps: dict[int, list[Measurement]] = {}
    for measured in outcome.measurements:
        if measured.kind == KIND:
            steps.setdefault(measured.step, []).append(measured)
    return statistics.median(map(read, steps.values())) if steps else math.inf


def _activations_s(step: Sequence[Measurement], part: Part) -> float:
    layers = [measured.values for measured in step if measured.layer]
    return sum(_number(values[name]) for values in layers for name in PASSES[part])


def _pass_s(step: Sequence[Measurement]) -> float:
    return next(_number(measured.values["pass_s"]) for measured in step if not measured.layer)


def _number(value: object) -> float:
    assert isinstance(value, int | float), "a time is one number"
    return float(value)
