"""Rule of an experiment that takes the parts of a network out, one at a time."""

from collections.abc import Mapping
from dataclasses import dataclass

from cnnlab.experiments.metrics import Quantity
from cnnlab.experiments.verdict import (
    OPEN,
    Figures,
    Verdict,
    ahead,
    counted,
    is_better,
    listing,
    median,
)


@dataclass(frozen=True)
class EachMissed:
    """The claim is that the whole does better than without any one of its parts.

    The verdict also names the part that is missed most. `by` is the least difference of the medians
    that counts, in units of the metric: of several comparisons one can be ahead by chance.
    """

    whole: str
    parts: tuple[str, ...]
    by: float = 0.0
    claimed: str = "each"

    @property
    def arms(self) -> tuple[str, ...]:
        return self.whole, *self.parts

    @property
    def answers(self) -> Mapping[str, str]:
        return {
            "each": f"Each is missed: {self.whole} do best",
            "not_all": "At least one is in the way: without it, better",
            OPEN: "Some make no difference that shows",
        }

    def says(self, metric: Quantity) -> str:
        least = f", and the medians by at least {metric.text(self.by)}" if self.by else ""
        return (
            f"Figure: {metric.name}. A part is missed where the worst seed of {self.whole} beats "
            f"the best without it{least}."
        )

    def judge(self, metric: Quantity, figures: Figures) -> Verdict:
        whole = figures[self.whole]
        found = {part: ahead(metric, whole, figures[part], self.by) for part in self.parts}
        missed = [part for part in self.parts if found[part] == "first"]
        better = [part for part in self.parts if found[part] == "second"]
        answer = "not_all" if better else "each" if len(missed) == len(self.parts) else OPEN
        told = [self._most(metric, figures)]
        if better:
            told.append(f"Better than {self.whole}: {', '.join(better)}.")
        elif answer == OPEN:
            others = ", ".join(part for part in self.parts if part not in missed)
            told.append(f"Not told apart from {self.whole}: {others}.")
        sentence = " ".join([listing(metric, figures, self.arms), *told])
        return Verdict(answer, sentence, len(whole))

    def _most(self, metric: Quantity, figures: Figures) -> str:
        """The part that is missed most, by the medians, and with how many seeds."""
        whole = figures[self.whole]
        sign = 1 if metric.higher_is_better else -1
        part = min(self.parts, key=lambda name: sign * median(figures[name]))
        if not is_better(metric, median(whole), median(figures[part])):
            return "Nothing is missed: no median is behind."
        wins = sum(is_better(metric, a, b) for a, b in zip(whole, figures[part], strict=True))
        apart = metric.apart(median(whole), median(figures[part]))
        return f"Most is lost {part}: {self.whole} {apart}{counted(wins, len(whole))}."
