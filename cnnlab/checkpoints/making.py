"""Making of a checkpoint: a training run, its weights in half precision, and the card."""

import datetime
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from cnnlab import datasets, devices
from cnnlab.atomic import replacing
from cnnlab.checkpoints.card import Card, checksum
from cnnlab.checkpoints.recipes import Recipe
from cnnlab.checkpoints.shipped import FOLDER, SUFFIX, Shipped, card_file
from cnnlab.datasets.augment import Augment, prepare
from cnnlab.errors import TrainingError
from cnnlab.training import RunConfig, checkpoint, train
from cnnlab.training.events import Event, Finished

TEST_BATCH = 250


def make(recipe: Recipe, tell: Callable[[Event], None], folder: Path = FOLDER) -> Shipped:
    """Train a network by its recipe and put its weights and its card into the folder.

    `tell` hears of every event of the run.

    Raises: CnnLabError when the run cannot start or fails; OSError when nothing can be written.
    """
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole.safetensors"
        last: Event | None = None
        for last in train(recipe.config, save_to=whole):
            tell(last)
        if not isinstance(last, Finished):
            raise TrainingError(
                f"{recipe.name} was not trained to its end: {getattr(last, 'message', last)}"
            )
        model, config = checkpoint.load(whole)
    path = folder / f"{recipe.name}{SUFFIX}"
    # An old card would be about other weights.
    card_file(path).unlink(missing_ok=True)
    checkpoint.save(model, config, path, half=True)
    card = describe(recipe, path, last.elapsed_s)
    with replacing(card_file(path)) as partial:
        partial.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return Shipped(path, card)


def describe(recipe: Recipe, path: Path, training_s: float) -> Card:
    """The card of a file that was just written."""
    model, config = checkpoint.load(path)
    return Card(
        preset=recipe.preset,
        config=config,
        test_accuracy=round(accuracy(model, config), 4),
        test_images=datasets.spec(config.dataset).test_size,
        params=checkpoint.parameters(model),
        training_s=round(training_s, 1),
        date=datetime.datetime.now(datetime.UTC).date(),
        machine=f"1 core of {devices.processor()}",
        torch=torch.__version__,
        command=f"python -m cnnlab.checkpoints train {recipe.name}",
        size_bytes=path.stat().st_size,
        sha256=checksum(path),
    )


def accuracy(model: nn.Module, config: RunConfig, count: int | None = None) -> float:
    """Share of the test pictures that a network in prediction mode names rightly.

    `count` takes the first ones only. Raises: DatasetError when the pictures cannot be had.
    """
    data = datasets.load(config.dataset)
    images, labels = data.test_images[:count], data.test_labels[:count]
    unused = torch.Generator()
    right = 0
    with torch.inference_mode():
        for some, classes in zip(images.split(TEST_BATCH), labels.split(TEST_BATCH), strict=True):
            logits = model(prepare(some, config.image_size, Augment(), unused))
            right += int((logits.argmax(1) == classes).sum())
    return right / len(labels)
