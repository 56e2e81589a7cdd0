"""Step time of a run, from a few timed steps on made-up pictures before it starts."""

from collections.abc import Callable

import torch
from torch import Tensor

from cnnlab import devices, run_delay
from cnnlab.datasets import DATASETS, Dataset
from cnnlab.training.config import RunConfig
from cnnlab.training.metrics import Metrics
from cnnlab.training.own_state import OwnState
from cnnlab.training.trainer import Trainer

# Batches grow by this factor until one takes long, or is the run's own.
FIRST_BATCH, GROWTH = 8, 8
LONG_S = 0.15
REPETITIONS = 2
TEST_BATCH = 64
# A GPU still works on one step while the next is launched, so that several are timed together.
GPU_STEPS = 5
# Steps that had to wait longer than this share of their time were slowed down by other work.
MOST_LOST = 0.2


class Interrupted(Exception):
    """Somebody needs the device for a run."""


class StepTimer:
    """A run's network and its steps, without its data set.

    The caller's random numbers are left alone. `interrupted` is asked before the network is built
    and before every step.

    Raises: Interrupted.
    """

    def __init__(
        self,
        config: RunConfig,
        device: torch.device,
        precision: torch.dtype,
        layout: torch.memory_format = torch.channels_last,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._interrupted = interrupted
        self._own_state = OwnState(device)
        self._together = 1 if device.type == "cpu" else GPU_STEPS
        self._lost_s = self._taken_s = 0.0
        # A wide network takes seconds to build.
        if interrupted():
            raise Interrupted
        with self._own_state:
            self._trainer = Trainer(config, made_up(config, device), precision, layout)

    @property
    def busy(self) -> bool:
        """Whether other work on the machine slowed the steps down so far; only a CPU tells."""
        return self._trainer.device.type == "cpu" and self._lost_s > MOST_LOST * self._taken_s

    def step_s(self) -> float:
        """Seconds that a training step takes. Raises: Interrupted."""
        self._trainer.model.train()
        return self._batch_s(self._train, self._trainer.config.batch_size)

    def test_image_s(self) -> float:
        """Seconds that a test picture takes. Raises: Interrupted."""
        self._trainer.model.eval()
        with torch.inference_mode():
            return self._batch_s(self._predict, TEST_BATCH) / TEST_BATCH

    def _train(self, size: int) -> None:
        device = self._trainer.device
        self._trainer.update(torch.arange(size, device=device), Metrics(device))

    def _predict(self, size: int) -> None:
        data, metrics = self._trainer.data, Metrics(self._trainer.device)
        self._trainer.predict(data.test_images[:size], data.test_labels[:size], metrics)

    def _batch_s(self, work: Callable[[int], None], batch_size: int) -> float:
        """Seconds that `work` takes for a whole batch, from smaller ones where that is long."""
        sizes, times_s = [0], [0.0]
        size = min(FIRST_BATCH, batch_size)
        while True:
            sizes.append(size)
            with self._own_state:
                times_s.append(self._shortest_s(work, size))
            if size == batch_size or times_s[-1] > LONG_S:
                break
            size = min(size * GROWTH, batch_size)
        # What a step costs besides its pictures counts once: two sizes tell it apart.
        image_s = max(0.0, times_s[-1] - times_s[-2]) / (sizes[-1] - sizes[-2])
        return times_s[-1] + image_s * (batch_size - sizes[-1])

    def _shortest_s(self, work: Callable[[int], None], size: int) -> float:
        """The shortest of a few; the first is not counted, as kernels are chosen there."""
        found: list[tuple[float, float]] = []
        for _ in range(1 + REPETITIONS):
            if self._interrupted():
                raise Interrupted
            begin = run_delay.now()
            for _ in range(self._together):
                work(size)
            devices.synchronize(self._trainer.device)
            end = run_delay.now()
            found.append((end.wall_s - begin.wall_s, run_delay.share_lost(begin, end)))
        time_s, lost = min(found[1:])
        self._taken_s += time_s
        self._lost_s += lost * time_s
        return time_s / self._together


def made_up(config: RunConfig, device: torch.device) -> Dataset:
    """One batch to train on and one to test, of the data set's shape."""
    spec = DATASETS[config.dataset]
    size = (spec.channels, spec.image_size, spec.image_size)
    random = torch.Generator().manual_seed(0)

    def draw(count: int) -> tuple[Tensor, Tensor]:
        images = torch.randint(0, 256, (count, *size), dtype=torch.uint8, generator=random)
        labels = torch.randint(0, spec.num_classes, (count,), generator=random)
        return images, labels

    data = Dataset(*draw(config.batch_size), *draw(TEST_BATCH), spec.class_names)
    return data.to(device)
