"""Augmented pictures: what runs get to see of their training pictures, epoch by epoch."""

from collections.abc import Mapping

import torch
from torch import Tensor

from cnnlab import datasets
from cnnlab.datasets.augment import Augment, prepare
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


def compared(configs: Mapping[str, RunConfig]) -> dict[str, RunConfig]:
    """Runs that see their pictures differently, by name; none where all see them alike.

    A change that no run makes by itself is shown by itself too, after the others.
    """
    first, *others = configs.values()
    if all(config.augment == first.augment for config in others):
        return {}
    found = dict(configs)
    known = {config.augment for config in configs.values()}
    for name, info in Augment.model_fields.items():
        alone = Augment(**{name: True})
        if alone not in known and any(getattr(one, name) for one in known):
            found[f"{info.title}, alone (not run)"] = first.replace(augment=alone)
    return found
