"""What a data set is: all its pictures as bytes, and facts that hold before it is loaded."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


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
class DatasetSpec:
    """Facts about a data set. Units: `image_size` pixels per side."""

    name: str
    title: str
    description: str
    channels: int
    image_size: int
    class_names: tuple[str, ...]
    train_size: int
    test_size: int
    source: str

    @property
    def num_classes(self) -> int:
        return len(self.class_names)


@dataclass(frozen=True)
class State:
    """Whether a data set can be used now, in a word and in a sentence."""

    status: Literal["ready", "not downloaded", "damaged"]
    message: str
