"""Augmented pictures: what runs get to see of their training pictures, epoch by epoch."""

from collections.abc import Iterable

import torch
from torch import Tensor

from cnnlab import datasets
from cnnlab.datasets.augment import prepare
from cnnlab.training import RunConfig
from cnnlab.training.subset import subset


def first_pictures(dataset: str, count: int) -> Tensor:
    """The training pictures that every run on this set learns from, whatever its subset.

    The whole set is read for them.

    Shape: uint8 (count, C, H, W).
    Raises: DatasetError naming what is missing or damaged and what to do.
    """
    images = datasets.load(dataset).train_images
    return images[subset(len(images), count)].clone()


def as_trained(config: RunConfig, pictures: Tensor, epochs: int) -> Tensor:
    """What the network gets of these pictures, drawn anew for every epoch as in training.

    Shape: uint8 (N, C, H, W) -> float32 (N, epochs, C, image_size, image_size) in [0, 1].
    """
    random = torch.Generator().manual_seed(config.seed)
    seen = [
        prepare(pictures, config.image_size, config.augment, random) for _ in range(max(1, epochs))
    ]
    return torch.stack(seen, 1)


def differ(configs: Iterable[RunConfig]) -> bool:
    """Whether these runs see their pictures differently."""
    return len({config.augment for config in configs}) > 1
