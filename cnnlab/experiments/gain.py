"""Rule of an experiment about a gain: does it grow from rung to rung of a ladder?"""

from collections.abc import Mapping
from dataclasses import dataclass

from cnnlab.experiments.ladder import Family
from cnnlab.experiments.metrics import Quantity
from cnnlab.experiments.verdict import OPEN, Ahead, Figures, Verdict


@dataclass(frozen=True)
class Points:
    """By how many points of accuracy one arm exceeds another with the same seed."""

    name: str
    unit: str = " points"
    higher_is_better: bool = True

    def text(self, value: float) -> str:
        return f"{round(100 * value):+d} points"

    def apart(self, better: float, worse: float) -> str:
        return f"{100 * (better - worse):.0f} points more"


@dataclass(frozen=True)
class GainGrows:
    """The claim is that one family gains more over another at the last rung than at the first.

    Each seed is compared with the same one of the other family. A run that diverged has learned
    nothing: its accuracy is 0.
    """

    first: Family
    second: Family
    claimed: str = "grows"

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(arm for family in (self.first, self.second) for _, arm in family.rungs)

    @property
    def answers(self) -> Mapping[str, str]:
        low, high = self._ends
        return {
            "grows": f"It gains more at {high}",
            "shrinks": f"It gains more at {low}",
            OPEN: "No difference that shows",
        }

    def says(self, metric: Quantity) -> str:
        low, high = self._ends
        return (
            f"Figure: by how much {self.first.name} exceeds {self.second.name} in {metric.name}, "
            f"with the same seed. It gains more at {high} where its lowest gain there exceeds its "
            f"highest at {low}; and the other way round."
        )

    def judge(self, metric: Quantity, figures: Figures) -> Verdict:
        gains = {
            f"{rung:g}": [
                max(0.0, one) - max(0.0, other)
                for one, other in zip(figures[arm], figures[plain], strict=True)
            ]
            for (rung, arm), (_, plain) in zip(self.first.rungs, self.second.rungs, strict=True)
        }
        low, high = self._ends
        gained = Points(f"gain from {self.first.name} in {metric.name}")
        found = Ahead(f"at {high}", f"at {low}").judge(
            gained, {f"at {name}": own for name, own in gains.items()}
        )
        answer = {"first": "grows", "second": "shrinks"}.get(found.answer, OPEN)
        return Verdict(answer, found.sentence, found.seeds)

    @property
    def _ends(self) -> tuple[str, str]:
        rungs = [rung for rung, _ in self.first.rungs]
        return f"{rungs[0]:g}", f"{rungs[-1]:g}"
