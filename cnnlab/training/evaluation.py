"""Loss, accuracy and the classes named over the whole test set, in prediction mode."""

import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from cnnlab import devices
from cnnlab.hooks import evaluating
from cnnlab.training.metrics import Metrics
from cnnlab.training.trainer import Trainer

# More pictures at once are no faster; fewer than the smallest would be slow.
SMALLEST_BATCH, LARGEST_BATCH = 64, 500


class Tested(NamedTuple):
    """What a network came to on the test set.

    `named` says of how many pictures it named each class, right or wrong. `classes` and
    `confidence` are what it said of each picture, and the share that it gave to that.

    Shape: `classes` uint16 (N,), `confidence` uint8 (N,), 255 for a share of 1.
    """

    loss: float
    accuracy: float
    named: tuple[int, ...]
    classes: Tensor
    confidence: Tensor


def evaluate(trainer: Trainer, should_stop: Callable[[], bool]) -> Tested | None:
    """The model as it is on the test set; None when stopped in the middle."""
    size = batch_size(trainer.config.batch_size)
    metrics = Metrics(trainer.device)
    said: list[Tensor] = []
    batches = zip(
        trainer.data.test_images.split(size), trainer.data.test_labels.split(size), strict=True
    )
    with evaluating(trainer.model), torch.inference_mode():
        for images, labels in batches:
            logits = trainer.predict(images, labels, metrics)
            said.append(torch.stack((logits.argmax(1), confidence(logits))))
            if should_stop():
                return None
    # One copy from the device for all pictures.
    classes, sure = torch.cat(said, 1).cpu()
    named = torch.bincount(classes, minlength=trainer.config.options.num_classes)
    loss, accuracy = metrics.read()
    return Tested(
        loss, accuracy, tuple(named.tolist()), classes.to(torch.uint16), sure.to(torch.uint8)
    )


def foreseen_s(trainer: Trainer) -> float:
    """Seconds that an evaluation will take, from one batch; nothing of the run is changed."""
    images, labels = trainer.data.test_images, trainer.data.test_labels
    size, took_s = min(SMALLEST_BATCH, len(labels)), 0.0
    with evaluating(trainer.model), torch.inference_mode():
        # The first is not counted, as kernels are chosen there.
        for _ in range(2):
            devices.synchronize(trainer.device)
            begin_s = time.perf_counter()
            trainer.predict(images[:size], labels[:size], Metrics(trainer.device))
            devices.synchronize(trainer.device)
            took_s = time.perf_counter() - begin_s
    return took_s / size * len(labels)


def confidence(logits: Tensor) -> Tensor:
    """The share of the class that is named, in steps of 1/255; 0 where it is no number.

    Shape: (N, classes) -> int64 (N,).
    """
    share = logits.float().softmax(1).amax(1)
    return (share.nan_to_num(0.0) * 255).round().long()


def batch_size(training: int) -> int:
    """Pictures at once: no more than fit in training, but for very small batches."""
    return min(max(SMALLEST_BATCH, training), LARGEST_BATCH)
