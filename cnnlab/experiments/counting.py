"""Rule of an experiment about an accident: with how many seeds does it happen?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cnnlab.experiments.metrics import Quantity
from cnnlab.experiments.verdict import OPEN, Figures, Verdict, capital, is_better, listing


@dataclass(frozen=True)
class HowOften:
    """The claim is about how many seeds an arm does worse with than another with the same seed.

    `event` says what happens to such a run, as a sentence begins with it.
    """

    arm: str
    other: str
    event: str
    claimed: str = "never"

    @property
    def arms(self) -> tuple[str, ...]:
        return self.arm, self.other

    @property
    def answers(self) -> Mapping[str, str]:
        return {
            "never": f"{self.event} with no seed",
            "sometimes": f"{self.event} with some seeds",
            "always": f"{self.event} with every seed",
        }

    def says(self, metric: Quantity) -> str:
        return (
            f"Figure: {metric.name}. Counted are the seeds with which {self.arm} does worse than "
            f"{self.other} with the same seed."
        )

    def judge(self, metric: Quantity, figures: Figures) -> Verdict:
        # A seed with which the other arm came to nothing has nothing to be compared with.
        pairs = [
            (own, other)
            for own, other in zip(figures[self.arm], figures[self.other], strict=True)
            if math.isfinite(other)
        ]
        hit = sum(is_better(metric, other, own) for own, other in pairs)
        answer = {0: "never", len(pairs): "always"}.get(hit, "sometimes") if pairs else OPEN
        told = f"{capital(self.arm)} does worse with {hit} of {len(pairs)} seeds."
        seeds = len(figures[self.arm])
        return Verdict(answer, f"{listing(metric, figures, self.arms)} {told}", seeds)
