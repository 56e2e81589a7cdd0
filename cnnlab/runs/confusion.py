"""Confusion of classes: what a run got right and wrong on the test set, class by class."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnlab.errors import TrainingError
from cnnlab.runs.predicted import PredictedClasses

# What may be asked of the class that was named, besides one class.
Verdict = Literal["wrong", "right"]


@dataclass(frozen=True)
class Confusion:
    """The test pictures of a run by their class and by the class that the network named.

    Raises: TrainingError where the run was tested on other pictures.
    """

    labels: NDArray[np.int64]
    said: PredictedClasses
    num_classes: int

    def __post_init__(self) -> None:
        named = self.said.classes
        if len(named) > len(self.labels) or named.max(initial=0) >= self.num_classes:
            raise TrainingError(
                f"This run was tested on {len(named):,} pictures that are not those of the data "
                f"set as it is here, which has {len(self.labels):,}. Train again."
            )

    @cached_property
    def truth(self) -> NDArray[np.int64]:
        """The classes of the pictures of which something was said. Shape: (N,)."""
        found: NDArray[np.int64] = self.labels[: len(self.said.classes)]
        return found

    @cached_property
    def matrix(self) -> NDArray[np.int64]:
        """How many pictures of a class (row) were taken for each class (column).

        Shape: (classes, classes).
        """
        pairs = self.truth * self.num_classes + self.said.classes
        counts = np.bincount(pairs, minlength=self.num_classes**2)
        return counts.reshape(self.num_classes, self.num_classes)

    @property
    def right(self) -> int:
        """How many pictures were named rightly."""
        return int(self.matrix.trace())

    @property
    def accuracies(self) -> NDArray[np.float64]:
        """The share of each class that was named rightly; NaN for one without a picture."""
        counts = self.matrix.sum(1)
        shares = self.matrix.diagonal() / np.maximum(counts, 1)
        return np.where(counts > 0, shares, np.nan)

    def pictures(self, truth: int | None, named: int | Verdict) -> NDArray[np.int64]:
        """Numbers of the test pictures of a class (of all: None) of which that was said.

        Those come first of which the network was surest.
        """
        is_right = self.truth == self.said.classes
        verdicts = {"right": is_right, "wrong": ~is_right}
        chosen = verdicts[named] if isinstance(named, str) else self.said.classes == named
        if truth is not None:
            chosen = chosen & (self.truth == truth)
        found = np.flatnonzero(chosen)
        order = np.argsort(-self.said.confidence[found], kind="stable")
        ordered: NDArray[np.int64] = found[order]
        return ordered
