"""Endings of a run: the last event, with its losses, accuracies and message."""

from pathlib import Path

from cnnlab.training import checkpoint, memory
from cnnlab.training.config import RunConfig
from cnnlab.training.events import Cancelled, Failed, Finished
from cnnlab.training.run_state import RunState
from cnnlab.training.trainer import Trainer

Ending = Finished | Cancelled | Failed
# How the message begins of a run whose loss is no number any more.
RAN_AWAY = "The loss became"


def ended(
    kind: type[Finished] | type[Cancelled], run: RunState, trainer: Trainer, save_to: Path | None
) -> Ending:
    """The final figures, and the weights on disk where they were asked for."""
    if run.diverged:
        return diverged(run)
    run.close_report()
    train_loss, train_accuracy = run.epoch_so_far.read()
    saved, note = None, None
    if save_to is not None:
        try:
            checkpoint.save(trainer.model, run.config, save_to)
            saved = str(save_to)
        except OSError as error:
            note = f"The weights could not be saved: {error.strerror or error}."
    return kind(
        step=run.step,
        epoch=run.epoch,
        elapsed_s=run.elapsed_s,
        train_loss=train_loss,
        train_accuracy=train_accuracy,
        test_loss=run.test.loss if run.test else None,
        test_accuracy=run.test.accuracy if run.test else None,
        named=run.test.named if run.test else None,
        images_per_s=run.images_per_s,
        weights=saved,
        note=note,
    )


def diverged(run: RunState) -> Failed:
    """The loss is no number any more, and no further step would change that."""
    loss, _ = run.recent.read()
    return Failed(
        message=f"{RAN_AWAY} {loss} at step {run.step}: the steps "
        "are too large and the weights ran away. Lower the learning rate (it was "
        f"{run.config.lr:g}), or switch batch normalization on.",
        step=run.step,
        elapsed_s=run.elapsed_s,
    )


def out_of_memory(config: RunConfig, run: RunState | None) -> Failed:
    """The device is full; `run` is None where that happened before the first step."""
    return Failed(
        message=f"{memory.ADVICE} (the batch was {config.batch_size} pictures of "
        f"{config.image_size}×{config.image_size}).",
        step=run.step if run else 0,
        elapsed_s=run.elapsed_s if run else 0.0,
    )
