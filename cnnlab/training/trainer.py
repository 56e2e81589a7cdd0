"""Trainer: a model in training, its batches, its steps and its predictions."""

from collections.abc import Iterator
from contextlib import nullcontext

import torch
from PIL.Image import Image
from torch import Tensor
from torch.nn.functional import cross_entropy

from cnnlab import catalog
from cnnlab.datasets import Dataset
from cnnlab.datasets.augment import Augment, prepare
from cnnlab.images import to_batch
from cnnlab.networks.googlenet import AUXILIARY_WEIGHT
from cnnlab.training import checkpoint, strided_convolutions
from cnnlab.training.compute_format import ComputeFormat
from cnnlab.training.config import RunConfig
from cnnlab.training.cuda_graphs import StepRecorder
from cnnlab.training.events import Started
from cnnlab.training.initialization import initialize
from cnnlab.training.metrics import Metrics
from cnnlab.training.optimizers import build_optimizer
from cnnlab.training.own_state import seed
from cnnlab.training.plan import Plan
from cnnlab.training.probes.observation import Observation
from cnnlab.training.schedules import build_schedule
from cnnlab.training.subset import subset


class Trainer:
    """A model, its optimizer and its data, all on one device."""

    def __init__(
        self,
        config: RunConfig,
        data: Dataset,
        precision: torch.dtype,
        layout: torch.memory_format = torch.channels_last,
    ) -> None:
        self.config, self.data, self.precision, self.layout = config, data, precision, layout
        self.device = data.train_images.device
        self.plan = Plan.of(config, len(data.test_labels))
        seed(self.device, config.seed)
        spec = catalog.network(config.network)
        model = spec.build(config.options, image_size=config.image_size)
        initialize(model, config.init, config.seed, config.init_scale)
        # What is drawn from here on (dropout) does not depend on what was drawn so far.
        seed(self.device, config.seed)
        self.model = model.to(self.device).to(memory_format=layout)
        strided_convolutions.avoid(self.model, self.device, layout)
        self.optimizer = build_optimizer(config, self.model.parameters(), self.device)
        self.schedule = build_schedule(config, self.optimizer, self.plan.steps)
        self.order = torch.Generator().manual_seed(config.seed)
        self.draws = torch.Generator(self.device).manual_seed(config.seed)
        self.subset = subset(len(data.train_labels), config.training_images)
        self.recorder = StepRecorder(self.device)

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def started(self) -> Started:
        """What is about to be trained, and on what."""
        way = ComputeFormat.of(self.precision, self.layout)
        return Started(
            device=str(self.device),
            precision=way.precision,
            layout=way.layout,
            params=checkpoint.parameters(self.model),
            train_images=self.config.training_images,
            test_images=self.plan.test_images,
            steps=self.plan.steps,
        )

    def batches(self) -> Iterator[Tensor]:
        """Indices of the batches of all epochs, each epoch in a new random order."""
        for _ in range(self.config.epochs):
            order = torch.randperm(len(self.subset), generator=self.order)
            full = self.plan.steps_per_epoch * self.config.batch_size
            yield from self.subset[order].to(self.device)[:full].split(self.config.batch_size)

    def update(
        self, batch: Tensor, metrics: Metrics, observation: Observation | None = None
    ) -> None:
        """One step: forward, backward, and the weights a little further."""
        # Whole rows at a time: indexing with [] copies byte by byte, ten times as slowly.
        images = self.data.train_images.index_select(0, batch)
        images = self.pictures(images, self.config.augment)
        labels = self.data.train_labels.index_select(0, batch)
        with observation or nullcontext():
            eager = observation is not None
            loss, logits = self.recorder.step(self.learn, images, labels, eager)
            if observation is not None:
                observation.advance()
            self.optimizer.step()
        self.schedule.step()
        metrics.add(loss, logits, labels)

    def learn(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and logits of a batch, and the gradients in the parameters."""
        logits, *auxiliary = self.answers(images)
        loss = total = cross_entropy(logits, labels)
        for others in auxiliary:
            total = total + AUXILIARY_WEIGHT * cross_entropy(others, labels)
        self.optimizer.zero_grad(set_to_none=not self.recorder.recorded)
        total.backward()
        # The network's own loss: it can be compared with that of a network without heads.
        return loss.detach(), logits.detach()

    def predict(self, images: Tensor, labels: Tensor, metrics: Metrics) -> Tensor:
        """The logits of one batch of the test set, which changes nothing."""
        logits = self.logits(self.pictures(images, Augment()))
        metrics.add(cross_entropy(logits, labels), logits, labels)
        return logits

    def logits(self, images: Tensor) -> Tensor:
        """The network's answer, computed in the run's number format."""
        return self.answers(images)[0]

    def answers(self, images: Tensor) -> list[Tensor]:
        """The network's answer and, in training, those of its auxiliary heads."""
        mixed = self.precision != torch.float32
        with torch.autocast(self.device.type, self.precision, enabled=mixed):
            made: Tensor | tuple[Tensor, ...] = self.model(images)
        return [answer.float() for answer in (made if isinstance(made, tuple) else (made,))]

    def pictures(self, images: Tensor, augment: Augment) -> Tensor:
        """Stored pictures as the network's input."""
        batch = prepare(images, self.config.image_size, augment, self.draws)
        return batch.contiguous(memory_format=self.layout)

    def as_input(self, picture: Image) -> Tensor:
        """A reader's picture as a batch of one."""
        options = self.config.options
        batch = to_batch(picture, self.config.image_size, options.in_channels)
        return batch.to(self.device).contiguous(memory_format=self.layout)
