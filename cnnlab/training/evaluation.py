"""Loss and accuracy over the whole test set, in prediction mode."""

from collections.abc import Callable

import torch

from cnnlab.hooks import evaluating
from cnnlab.training.metrics import Metrics
from cnnlab.training.trainer import Trainer

# More pictures at once are no faster; fewer than the smallest would be slow.
SMALLEST_BATCH, LARGEST_BATCH = 64, 500


def evaluate(trainer: Trainer, should_stop: Callable[[], bool]) -> tuple[float, float] | None:
    """Test loss and accuracy of the model as it is; None when stopped in the middle."""
    size = batch_size(trainer.config.batch_size)
    metrics = Metrics(trainer.device)
    batches = zip(
        trainer.data.test_images.split(size), trainer.data.test_labels.split(size), strict=True
    )
    with evaluating(trainer.model), torch.inference_mode():
        for images, labels in batches:
            trainer.predict(images, labels, metrics)
            if should_stop():
                return None
    return metrics.read()


def batch_size(training: int) -> int:
    """Pictures at once: no more than fit in training, but for very small batches."""
    return min(max(SMALLEST_BATCH, training), LARGEST_BATCH)
