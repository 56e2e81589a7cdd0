"""A run in progress: one step after the other, and what there is to report."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from cnnlab import catalog
from cnnlab.datasets import Dataset
from cnnlab.datasets.augment import Augment, prepare
from cnnlab.tracing import evaluating
from cnnlab.training import checkpoint, cuda_graphs
from cnnlab.training.config import RunConfig
from cnnlab.training.events import Cancelled, Evaluation, Event, Finished, Progress, Started
from cnnlab.training.initialization import initialize
from cnnlab.training.metrics import Metrics
from cnnlab.training.optimizers import build_optimizer
from cnnlab.training.plan import Plan
from cnnlab.training.schedules import build_schedule

EVALUATION_BATCH = 500


@dataclass
class Trainer:
    """A run in progress: the model, where it stands, and how long things took."""

    config: RunConfig
    data: Dataset
    precision: torch.dtype
    layout: torch.memory_format = torch.channels_last
    step: int = 0
    last_loss: float = 0.0
    last_accuracy: float = 0.0
    test: tuple[float, float] | None = None
    test_step: int = -1
    stopped: bool = False
    _evaluation_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        config = self.config
        self.device = self.data.train_images.device
        self.plan = Plan(
            train_images=config.training_images,
            test_images=len(self.data.test_labels),
            batch_size=config.batch_size,
            epochs=config.epochs,
        )
        torch.manual_seed(config.seed)
        model = catalog.network(config.network).build(config.options)
        initialize(model, config.init)
        self.model = model.to(self.device).to(memory_format=self.layout)
        self.optimizer = build_optimizer(config, self.model.parameters(), self.device)
        self.schedule = build_schedule(config, self.optimizer, self.plan.steps)
        self.order = torch.Generator().manual_seed(config.seed)
        self.draws = torch.Generator(self.device).manual_seed(config.seed)
        # A subset is drawn once, the same for every run with this size: seeds stay comparable.
        chosen = torch.randperm(
            len(self.data.train_labels), generator=torch.Generator().manual_seed(0)
        )
        self.subset = chosen[: config.training_images]
        self.epoch_metrics = Metrics(self.device)
        self._learn: cuda_graphs.Learn = self.learn
        self._start_s = time.perf_counter()

    @property
    def elapsed_s(self) -> float:
        return time.perf_counter() - self._start_s

    @property
    def epoch(self) -> float:
        return self.step / self.plan.steps_per_epoch

    @property
    def images_per_s(self) -> float:
        """Training speed, without the time spent on the test set."""
        training_s = self.elapsed_s - sum(self._evaluation_s)
        return self.step * self.config.batch_size / max(training_s, 1e-9)

    @property
    def evaluated(self) -> bool:
        """Whether the test figures belong to the weights as they are now."""
        return self.test_step == self.step

    def started(self) -> Started:
        return Started(
            device=str(self.device),
            precision=str(self.precision).removeprefix("torch."),
            params=checkpoint.parameters(self.model),
            train_images=self.config.training_images,
            test_images=self.plan.test_images,
            steps=self.plan.steps,
        )

    def steps(self, should_stop: Callable[[], bool]) -> Iterator[Event]:
        """Train to the end of the plan, the budget or the reader's patience."""
        recent = Metrics(self.device)
        self.model.train()
        for _ in range(self.config.epochs):
            self.epoch_metrics.reset()
            for batch in self.batches():
                self.update(batch, recent)
                self.step += 1
                if self.plan.reports(self.step):
                    self.last_loss, self.last_accuracy = self.take(recent)
                    if not math.isfinite(self.last_loss):
                        return
                    yield self.progress()
                self.stopped = should_stop()
                if self.stopped or self._budget_is_spent():
                    self.take(recent)
                    return
                if self.step in self.plan.evaluation_steps:
                    yield from self.evaluate(should_stop)

    def take(self, recent: Metrics) -> tuple[float, float]:
        """Loss and accuracy since the last report, which count to the epoch's from now on."""
        figures = recent.read()
        self.epoch_metrics.absorb(recent)
        recent.reset()
        return figures

    def batches(self) -> Iterator[Tensor]:
        """Indices of the batches of one epoch, in a new random order."""
        order = self.subset[torch.randperm(len(self.subset), generator=self.order)].to(self.device)
        full = self.plan.steps_per_epoch * self.config.batch_size
        yield from order[:full].split(self.config.batch_size)

    def update(self, batch: Tensor, metrics: Metrics) -> None:
        """One step: forward, backward, and the weights a little further."""
        # Whole rows at a time: indexing with [] copies byte by byte, ten times as slowly.
        images = self.data.train_images.index_select(0, batch)
        images = self.pictures(images, self.config.augment)
        labels = self.data.train_labels.index_select(0, batch)
        if self.step == cuda_graphs.STEPS_BEFORE and cuda_graphs.wanted(self.device):
            self.optimizer.zero_grad(set_to_none=True)
            self._learn = cuda_graphs.GraphedStep(self.learn, images, labels)
        loss, logits = self._learn(images, labels)
        self.optimizer.step()
        self.schedule.step()
        metrics.add(loss, logits, labels)

    def learn(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and logits of a batch, and the gradients in the parameters."""
        with self._autocast():
            logits = self.model(images)
            loss = cross_entropy(logits, labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        return loss.detach(), logits.detach()

    def pictures(self, images: Tensor, augment: Augment) -> Tensor:
        """Stored pictures as the network's input."""
        batch = prepare(images, self.config.image_size, augment, self.draws)
        return batch.contiguous(memory_format=self.layout)

    def progress(self) -> Progress:
        done, left = self.step, self.plan.steps - self.step
        evaluations_s = sum(self._evaluation_s)
        to_come = sum(step > done for step in self.plan.evaluation_steps)
        each_s = evaluations_s / len(self._evaluation_s) if self._evaluation_s else 0.0
        return Progress(
            step=done,
            epoch=self.epoch,
            elapsed_s=self.elapsed_s,
            train_loss=self.last_loss,
            train_accuracy=self.last_accuracy,
            lr=self.optimizer.param_groups[0]["lr"],
            images_per_s=self.images_per_s,
            eta_s=left * self.config.batch_size / self.images_per_s + to_come * each_s,
        )

    def evaluate(self, should_stop: Callable[[], bool]) -> list[Evaluation]:
        """Loss and accuracy over the whole test set, in prediction mode; nothing when stopped."""
        begin_s = time.perf_counter()
        metrics = Metrics(self.device)
        images = self.data.test_images.split(EVALUATION_BATCH)
        labels = self.data.test_labels.split(EVALUATION_BATCH)
        with evaluating(self.model), torch.inference_mode():
            for batch in zip(images, labels, strict=True):
                self.predict(*batch, metrics)
                if should_stop():
                    return []
        self.test, self.test_step = metrics.read(), self.step
        self._evaluation_s.append(time.perf_counter() - begin_s)
        return [
            Evaluation(
                step=self.step,
                epoch=self.epoch,
                elapsed_s=self.elapsed_s,
                test_loss=self.test[0],
                test_accuracy=self.test[1],
            )
        ]

    def predict(self, images: Tensor, labels: Tensor, metrics: Metrics) -> None:
        """One batch of the test set, which changes nothing."""
        with self._autocast():
            logits = self.model(self.pictures(images, Augment()))
            loss = cross_entropy(logits, labels)
        metrics.add(loss, logits, labels)

    def ending(
        self, kind: type[Finished] | type[Cancelled], save_to: Path | None
    ) -> Finished | Cancelled:
        """The final figures, and the weights on disk where they were asked for."""
        train_loss, train_accuracy = self.epoch_metrics.read()
        saved, note = None, None
        if save_to is not None:
            try:
                checkpoint.save(self.model, self.config, save_to)
                saved = str(save_to)
            except OSError as error:
                note = f"The weights could not be saved: {error.strerror or error}."
        return kind(
            step=self.step,
            epoch=self.epoch,
            elapsed_s=self.elapsed_s,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            test_loss=self.test[0] if self.test else None,
            test_accuracy=self.test[1] if self.test else None,
            images_per_s=self.images_per_s,
            weights=saved,
            note=note,
        )

    def _autocast(self) -> torch.autocast:
        return torch.autocast(
            self.device.type, self.precision, enabled=self.precision != torch.float32
        )

    def _budget_is_spent(self) -> bool:
        return self.config.budget_s is not None and self.elapsed_s > self.config.budget_s
