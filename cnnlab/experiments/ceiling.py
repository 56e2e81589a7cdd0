"""Rule of an experiment about limits: the largest learning rate that still learns."""

from collections.abc import Mapping
from dataclasses import dataclass

from cnnlab.experiments.ladder import Family
from cnnlab.experiments.metrics import Quantity
from cnnlab.experiments.verdict import Ahead, Figures, Verdict, is_better


@dataclass(frozen=True)
class LargestRate:
    """The largest learning rate with which a run learns; read over a family of arms."""

    name: str
    unit: str = ""
    higher_is_better: bool = True

    def text(self, value: float) -> str:
        return f"{value:g}" if value else "none"

    def apart(self, better: float, worse: float) -> str:
        return f"{better / worse:.3g} times as high" if worse else "the other learns with none"


@dataclass(frozen=True)
class Ceiling:
    """The claim is that one family of arms still learns at a higher learning rate than another.

    A run learns where its figure is better than `learns`. Of a seed the largest rate counts, also
    where a smaller one did not learn.
    """

    first: Family
    second: Family
    learns: float
    claimed: str = "first"

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(arm for family in (self.first, self.second) for _, arm in family.rungs)

    @property
    def answers(self) -> Mapping[str, str]:
        return self._ahead.answers

    @property
    def _ahead(self) -> Ahead:
        return Ahead(self.first.name, self.second.name, claimed=self.claimed)

    def says(self, metric: Quantity) -> str:
        return (
            f"Figure: the {self._rate(metric).name}. One does better where its lowest rate over "
            "the seeds is higher than the highest of the other."
        )

    def judge(self, metric: Quantity, figures: Figures) -> Verdict:
        reached = {
            family.name: self._reached(metric, family, figures)
            for family in (self.first, self.second)
        }
        return self._ahead.judge(self._rate(metric), reached)

    def _reached(self, metric: Quantity, family: Family, figures: Figures) -> list[float]:
        """The largest rate that learns, seed by seed; 0 where none does."""
        seeds = len(figures[family.rungs[0][1]])
        return [
            max(
                (
                    rate
                    for rate, arm in family.rungs
                    if is_better(metric, figures[arm][seed], self.learns)
                ),
                default=0.0,
            )
            for seed in range(seeds)
        ]

    def _rate(self, metric: Quantity) -> LargestRate:
        side = "above" if metric.higher_is_better else "below"
        goal = metric.text(self.learns)
        return LargestRate(f"largest learning rate with {metric.name} {side} {goal}")
