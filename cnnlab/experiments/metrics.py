"""Metrics: what an experiment reads off a run, and how a reader says it."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from cnnlab.experiments.outcome import Outcome
from cnnlab.runs.smoothing import smoothed

Axis = Literal["steps", "images", "seconds"]
Ending = Literal["test_accuracy", "train_accuracy", "train_loss", "test_loss"]
Curves = Literal["loss", "accuracy"]

TITLES: dict[Ending, str] = {
    "test_accuracy": "test accuracy",
    "train_accuracy": "training accuracy",
    "train_loss": "training loss",
    "test_loss": "test loss",
}


class Quantity(Protocol):
    """How a figure is called, read and compared."""

    @property
    def name(self) -> str:
        """The figure in words, as a sentence can begin with it in small letters."""

    @property
    def unit(self) -> str:
        """With what `text` ends, where it has a unit."""

    @property
    def higher_is_better(self) -> bool: ...

    def text(self, value: float) -> str:
        """The figure as it is read."""

    def apart(self, better: float, worse: float) -> str:
        """How much better one figure is than another."""


class Metric(Quantity, Protocol):
    """A figure of a run. What never came, or ran away, is infinitely bad."""

    @property
    def curves(self) -> Curves | None:
        """Of what the curves of training are drawn; None where they say nothing about it."""

    @property
    def is_seen(self) -> bool:
        """Whether these curves show the figure itself, so that it needs no chart of its own."""

    @property
    def goal(self) -> float | None:
        """What a curve has to reach, where that is asked."""

    def read(self, outcome: Outcome) -> float:
        """The figure of a run that has ended."""


@dataclass(frozen=True)
class Until:
    """How long it takes until the training loss is below a goal, or the training accuracy above.

    Both are smoothed as in the charts, so that one lucky batch does not count.
    """

    measure: Curves
    goal: float
    axis: Axis = "steps"

    @property
    def name(self) -> str:
        goal = f"loss is below {self.goal:g}"
        if self.measure == "accuracy":
            goal = f"accuracy is above {self.goal:.0%}"
        return f"{self.axis} until the training {goal}"

    @property
    def unit(self) -> str:
        return " s" if self.axis == "seconds" else ""

    @property
    def higher_is_better(self) -> bool:
        return False

    @property
    def curves(self) -> Curves:
        return self.measure

    @property
    def is_seen(self) -> bool:
        return True

    def read(self, outcome: Outcome) -> float:
        curve = outcome.curve
        values = smoothed(getattr(curve, f"train_{self.measure}"))
        places = curve.seconds if self.axis == "seconds" else curve.steps
        size = outcome.config.batch_size if self.axis == "images" else 1
        for place, value in zip(places, values, strict=True):
            if value <= self.goal if self.measure == "loss" else value >= self.goal:
                return float(place * size)
        return math.inf

    def text(self, value: float) -> str:
        if not math.isfinite(value):
            return "never"
        return f"{value:.1f} s" if self.axis == "seconds" else f"{value:,.0f}"

    def apart(self, better: float, worse: float) -> str:
        return (
            f"{worse / better:.1f} times sooner"
            if math.isfinite(worse)
            else "the other never gets there"
        )


@dataclass(frozen=True)
class AtEnd:
    """A loss or an accuracy when the run has ended; of training over the last epoch."""

    what: Ending = "test_accuracy"
    unit: str = ""
    goal: ClassVar[None] = None

    @property
    def name(self) -> str:
        return f"{TITLES[self.what]} at the end"

    @property
    def higher_is_better(self) -> bool:
        return self.what.endswith("accuracy")

    @property
    def curves(self) -> Curves:
        return "accuracy" if self.higher_is_better else "loss"

    @property
    def is_seen(self) -> bool:
        return self.what.startswith("train")

    def read(self, outcome: Outcome) -> float:
        value = outcome.figures.get(self.what)
        if value is None or not math.isfinite(value):
            return -math.inf if self.higher_is_better else math.inf
        return float(value)

    def text(self, value: float) -> str:
        if not math.isfinite(value):
            return "diverged"
        return f"{value:.0%}" if self.higher_is_better else f"{value:.2f}"

    def apart(self, better: float, worse: float) -> str:
        if not math.isfinite(worse):
            return "only one does not diverge"
        if self.higher_is_better:
            return f"{100 * (better - worse):.0f} points higher"
        return f"{worse - better:.2f} lower"


@dataclass(frozen=True)
class Gap:
    """By how much training accuracy exceeds test accuracy at the end: overfitting."""

    name: str = "training minus test accuracy at the end"
    unit: str = " points"
    higher_is_better: bool = False
    curves: Curves = "accuracy"
    is_seen: ClassVar[bool] = False
    goal: ClassVar[None] = None

    def read(self, outcome: Outcome) -> float:
        train, test = (outcome.figures.get(f"{name}_accuracy") for name in ("train", "test"))
        return math.inf if train is None or test is None else float(train - test)

    def text(self, value: float) -> str:
        return f"{round(100 * value)} points" if math.isfinite(value) else "diverged"

    def apart(self, better: float, worse: float) -> str:
        if not math.isfinite(worse):
            return "only one does not diverge"
        return f"{100 * (worse - better):.0f} points smaller"


@dataclass(frozen=True)
class FirstGradient:
    """Norm of the gradient in the first layer with weights, as a share of that in the last.

    The median over the observed steps; needs the `layer_statistics` probe.
    """

    name: str = "gradient of the first layer, as a share of that of the last"
    unit: str = ""
    higher_is_better: bool = True
    curves: Curves = "loss"
    is_seen: ClassVar[bool] = False
    goal: ClassVar[None] = None

    def read(self, outcome: Outcome) -> float:
        steps: dict[int, list[float]] = {}
        for measured in outcome.measurements:
            norm = measured.values.get("gradient_norm")
            if measured.kind == "layer_statistics" and isinstance(norm, int | float):
                steps.setdefault(measured.step, []).append(norm)
        shares = sorted(norms[0] / norms[-1] for norms in steps.values() if norms[-1] > 0)
        return shares[len(shares) // 2] if shares else -math.inf

    def text(self, value: float) -> str:
        if not math.isfinite(value):
            return "none was measured"
        return f"{value:.2f}" if value >= 0.01 else f"1 / {1 / max(value, 1e-12):,.0f}"

    def apart(self, better: float, worse: float) -> str:
        return f"{better / worse:,.0f} times larger" if worse > 0 else "larger"
