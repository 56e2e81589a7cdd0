"""Rule of an experiment whose claim is that something does no harm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cnnlab.experiments.metrics import Quantity
from cnnlab.experiments.verdict import (
    OPEN,
    Figures,
    Verdict,
    ahead,
    capital,
    counted,
    is_better,
    listing,
    median,
)


@dataclass(frozen=True)
class NoWorse:
    """The claim is that one arm does no worse than another, or better.

    "No difference was seen" would be no evidence: three runs that scatter widely never show one. So
    the arm is granted a `margin`, and with it has to be ahead of the other as any arm has to.
    """

    first: str
    second: str
    margin: float
    claimed: str = "no_worse"
    predictions: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def arms(self) -> tuple[str, ...]:
        return self.first, self.second

    @property
    def answers(self) -> Mapping[str, str]:
        name = capital(self.first)
        well, worse = self.predictions or (f"{name} does as well, or better", f"{name} does worse")
        return {"no_worse": well, "worse": worse, OPEN: "Too close to tell in so short a run"}

    def says(self, metric: Quantity) -> str:
        margin = metric.text(self.margin)
        return (
            f"Figure: {metric.name}. “{self.first}” is no worse where even its worst seed "
            f"lies within {margin} of the best of the other; it is worse where its best seed is "
            f"behind the other's worst, and its median by at least {margin}."
        )

    def judge(self, metric: Quantity, figures: Figures) -> Verdict:
        first, second = figures[self.first], figures[self.second]
        answer = OPEN
        told = "This short run does not decide it: the seeds scatter too much for this margin."
        if self._is_no_worse(metric, first, second):
            answer = "no_worse"
            told = f"{capital(self.first)}: no worse{self._by(metric, first, second)}."
        elif ahead(metric, second, first, self.margin) == "first":
            answer = "worse"
            wins = sum(is_better(metric, b, a) for a, b in zip(first, second, strict=True))
            apart = metric.apart(median(second), median(first))
            told = f"{capital(self.second)}: {apart}{counted(wins, len(first))}."
        return Verdict(answer, f"{listing(metric, figures, self.arms)} {told}", len(first))

    def _is_no_worse(
        self, metric: Quantity, first: Sequence[float], second: Sequence[float]
    ) -> bool:
        granted = self.margin if metric.higher_is_better else -self.margin
        return all(is_better(metric, one + granted, other) for one in first for other in second)

    def _by(self, metric: Quantity, first: Sequence[float], second: Sequence[float]) -> str:
        """How clearly that is so."""
        if ahead(metric, first, second) == "first":
            return f", and even better: {metric.apart(median(first), median(second))}"
        return f"; its worst seed lies within {metric.text(self.margin)} of the best of the other"
