"""State of a run: its step, losses and accuracies so far, the time it took and will take."""

import math
import time
from collections.abc import Iterator

import torch

from cnnlab.training.config import RunConfig
from cnnlab.training.evaluation import Tested
from cnnlab.training.events import MOST_PREDICTED, Evaluation, Measurement, Predicted, Progress
from cnnlab.training.metrics import Metrics
from cnnlab.training.plan import Plan
from cnnlab.training.probes.observation import Observation


class RunState:
    """A run's step, losses and accuracies, and its clock.

    `begun_s` is when all began, before the first step, by `time.perf_counter`: the budget counts
    from there. `test_s` is how long one look at the test set is foreseen to take.
    """

    def __init__(
        self,
        config: RunConfig,
        plan: Plan,
        device: torch.device,
        begun_s: float | None = None,
        test_s: float = 0.0,
    ) -> None:
        self.config, self.plan = config, plan
        self.step = 0
        # Since the last report, and over the epoch up to there.
        self.recent, self.epoch_so_far = Metrics(device), Metrics(device)
        self.train_loss, self.train_accuracy = 0.0, 0.0
        self.test: Tested | None = None
        self._evaluations_s: list[float] = []
        self._start_s = time.perf_counter()
        self._begun_s = self._start_s if begun_s is None else begun_s
        self._foreseen_s = test_s

    @property
    def elapsed_s(self) -> float:
        return time.perf_counter() - self._start_s

    @property
    def epoch(self) -> float:
        return self.step / self.plan.steps_per_epoch

    @property
    def images_per_s(self) -> float:
        """Training speed, without the time spent on the test set."""
        training_s = self.elapsed_s - sum(self._evaluations_s)
        return self.step * self.config.batch_size / max(training_s, 1e-9)

    @property
    def test_s(self) -> float:
        """How long the next look at the test set will take, by those so far."""
        done_s = self._evaluations_s
        return sum(done_s) / len(done_s) if done_s else self._foreseen_s

    @property
    def eta_s(self) -> float:
        """Seconds until the end, at the speed so far; against the clock not more than it leaves."""
        to_come = sum(step > self.step for step in self.plan.evaluation_steps)
        images_left = (self.plan.steps - self.step) * self.config.batch_size
        whole_s = images_left / self.images_per_s + to_come * self.test_s
        # Whoever is stopped by the clock is tested once more.
        return min(whole_s, max(0.0, self.left_s) + self.test_s)

    @property
    def left_s(self) -> float:
        """What the budget leaves for steps: all but the look at the test set at the end.

        Where that takes more than half of it, the run learns for the other half, and ends later.
        """
        budget_s = self.config.budget_s
        if budget_s is None:
            return math.inf
        return budget_s - (time.perf_counter() - self._begun_s) - min(self.test_s, budget_s / 2)

    @property
    def budget_is_spent(self) -> bool:
        return self.left_s <= 0

    @property
    def has_time_to_look(self) -> bool:
        """Whether the budget leaves time for the test set now, and once more at the end."""
        return self.left_s >= self.test_s

    @property
    def diverged(self) -> bool:
        """Whether a loss since the last report was not a number any more; waits for the device."""
        return not math.isfinite(self.recent.read()[0])

    def begin_step(self) -> None:
        """The figures of an epoch are those of its own steps."""
        if self.step % self.plan.steps_per_epoch == 0:
            self.epoch_so_far.reset()
        self.step += 1

    def close_report(self) -> None:
        """Loss and accuracy since the last report, which count to the epoch's from now on."""
        self.train_loss, self.train_accuracy = self.recent.read()
        self.epoch_so_far.absorb(self.recent)
        self.recent.reset()

    def progress(self, lr: float) -> Progress:
        """The point of the training curve that ends here."""
        self.close_report()
        return Progress(
            step=self.step,
            epoch=self.epoch,
            elapsed_s=self.elapsed_s,
            train_loss=self.train_loss,
            train_accuracy=self.train_accuracy,
            lr=lr,
            images_per_s=self.images_per_s,
            eta_s=self.eta_s,
        )

    def measurements(self, observation: Observation) -> Iterator[Measurement]:
        """What the probes read off the last step."""
        elapsed_s = self.elapsed_s
        for kind, layer, values in observation.values():
            yield Measurement(
                step=self.step,
                epoch=self.epoch,
                elapsed_s=elapsed_s,
                kind=kind,
                layer=layer,
                values=values,
            )

    def evaluation(self, test: Tested, took_s: float) -> Evaluation:
        """The point of the test curve here."""
        self.test = test
        self._evaluations_s.append(took_s)
        return Evaluation(
            step=self.step,
            epoch=self.epoch,
            elapsed_s=self.elapsed_s,
            test_loss=test.loss,
            test_accuracy=test.accuracy,
        )

    def predicted(self, test: Tested) -> Predicted:
        """What the network said of each test picture here."""
        classes, confidence = (x[:MOST_PREDICTED].numpy() for x in (test.classes, test.confidence))
        return Predicted(
            step=self.step,
            epoch=self.epoch,
            elapsed_s=self.elapsed_s,
            classes=classes.astype("<u2").tobytes(),
            confidence=confidence.tobytes(),
        )
