"""Data set: all its pictures as bytes, and facts that hold before it is loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from cnnlab.datasets.download import Progress


@dataclass(frozen=True)
class Dataset:
    """A whole data set in memory.

    Shape: images uint8 (N, C, H, W), labels int64 (N,).
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    class_names: tuple[str, ...]

    def to(self, device: torch.device | str) -> "Dataset":
        """The same set on another device."""
        return Dataset(
            self.train_images.to(device),
            self.train_labels.to(device),
            self.test_images.to(device),
            self.test_labels.to(device),
            self.class_names,
        )


@dataclass(frozen=True)
class State:
    """Whether a data set can be used now, in a word and in a sentence."""

    status: Literal["ready", "not downloaded", "damaged"]
    message: str


def again(name: str) -> str:
    """What to do about a data set that is damaged."""
    return f"Get what is damaged again: `python -m cnnlab.datasets {name} --again`."


@dataclass(frozen=True)
class DatasetSpec:
    """A data set of the list: facts that hold before it is loaded, and how it is loaded.

    `load` downloads or draws what is not there yet and tells the progress to its argument;
    `state` is cheap enough to ask on every page; `mend` downloads again what is damaged, None
    where `load` sees to that itself.

    Units: `image_size` pixels per side.
    Raises: DatasetError from `load`, naming what is missing or damaged and what to do.
    """

    name: str
    title: str
    description: str
    channels: int
    image_size: int
    class_names: tuple[str, ...]
    train_size: int
    test_size: int
    source: str
    load: Callable[[Progress | None], Dataset]
    state: Callable[[], State]
    mend: Callable[[Progress | None], None] | None = None

    @property
    def num_classes(self) -> int:
        return len(self.class_names)
