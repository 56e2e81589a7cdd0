"""Loss, accuracy and the classes named over the whole test set, in prediction mode."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from cnnlab.hooks import evaluating
from cnnlab.training.metrics import Metrics
from cnnlab.training.trainer import Trainer

# More pictures at once are no faster; fewer than the smallest would be slow.
SMALLEST_BATCH, LARGEST_BATCH = 64, 500


class Tested(NamedTuple):
    """What a network came to on the test set.

    `named` says of how many pictures it named each class, right or wrong.
    """

    loss: float
    accuracy: float
    named: tuple[int, ...]


def evaluate(trainer: Trainer, should_stop: Callable[[], bool]) -> Tested | None:
    """The model as it is on the test set; None when stopped in the middle."""
    size = batch_size(trainer.config.batch_size)
    metrics = Metrics(trainer.device)
    named = torch.zeros(
        trainer.config.options.num_classes, dtype=torch.int64, device=trainer.device
    )
    batches = zip(
        trainer.data.test_images.split(size), trainer.data.test_labels.split(size), strict=True
    )
    with evaluating(trainer.model), torch.inference_mode():
        for images, labels in batches:
            answers = trainer.predict(images, labels, metrics)
            named += torch.bincount(answers.argmax(1), minlength=len(named))
            if should_stop():
                return None
    return Tested(*metrics.read(), tuple(named.tolist()))


def batch_size(training: int) -> int:
    """Pictures at once: no more than fit in training, but for very small batches."""
    return min(max(SMALLEST_BATCH, training), LARGEST_BATCH)
