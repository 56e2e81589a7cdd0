"""Plan of a run: its steps, reports and evaluations, by its configuration, never by the clock."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from cnnlab.training.config import Evaluate, RunConfig

REPORTS = 250
EVALUATIONS = 8
# A test picture costs a forward pass, about a third of a training step; more than this
# share of the run's time spent on looking would slow it down for nothing.
EVALUATION_SHARE = 0.15
# Steps that a probe looks at, if it doesn't say otherwise; and the most, if it does.
OBSERVATIONS, MOST_OBSERVATIONS = 40, 100
# A loss that is no number any more is noticed within so many steps.
CHECK_EVERY = 50


@dataclass(frozen=True)
class Plan:
    """The steps of a run; the last batch of an epoch is dropped when it is not full."""

    train_images: int
    test_images: int
    batch_size: int
    epochs: int
    evaluate: Evaluate = "spread"

    @classmethod
    def of(cls, config: RunConfig, test_images: int) -> Self:
        """The plan of a run."""
        return cls(
            config.training_images, test_images, config.batch_size, config.epochs, config.evaluate
        )

    @property
    def steps_per_epoch(self) -> int:
        return self.train_images // self.batch_size

    @property
    def steps(self) -> int:
        return self.steps_per_epoch * self.epochs

    @cached_property
    def report_every(self) -> int:
        """Steps between two points of the training curve."""
        return max(1, self.steps // REPORTS)

    @cached_property
    def evaluation_steps(self) -> frozenset[int]:
        """Steps after which the test set is evaluated: evenly spread, always at the end."""
        if self.evaluate == "end":
            return frozenset({self.steps})
        affordable = int(EVALUATION_SHARE * 3 * self.steps * self.batch_size / self.test_images)
        count = max(1, min(affordable, max(EVALUATIONS, self.epochs), self.steps))
        return frozenset(round(self.steps * i / count) for i in range(1, count + 1))

    def reports(self, step: int) -> bool:
        """Whether a point is due; the first comes at once."""
        return step == 1 or step % self.report_every == 0 or step == self.steps

    def observation_steps(self, every: int | None = None) -> frozenset[int]:
        """Steps that a probe looks at: dense at first, or evenly where `every` is given."""
        if every is not None:
            apart = max(every, -(-self.steps // MOST_OBSERVATIONS))
            return frozenset({1, *range(apart, self.steps + 1, apart)})
        found = [1]
        for i in range(1, OBSERVATIONS):
            spread = round(1 + (self.steps - 1) * (i / (OBSERVATIONS - 1)) ** 2)
            found.append(max(found[-1] + 1, spread))
        return frozenset(step for step in found if step <= self.steps)

    def checks(self, step: int) -> bool:
        """Whether it is time to see that the loss is still a number."""
        return self.reports(step) or step % CHECK_EVERY == 0
