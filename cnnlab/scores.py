"""Scores of the classes: the numbers that a network ends with, and softmax written out."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Scores:
    """Softmax step by step, each step a number per class.

    `below` are the logits less the largest of them, which changes no share and keeps every
    exponential at 1 or below; `total` is the sum of the exponentials.
    """

    logits: tuple[float, ...]
    below: tuple[float, ...]
    exponentials: tuple[float, ...]
    total: float
    shares: tuple[float, ...]

    @property
    def best(self) -> int:
        """The class with the largest score, the first of several."""
        return self.logits.index(max(self.logits))


def softmax(logits: Tensor) -> Scores | None:
    """The steps from logits to shares of 1; None where a logit is no number.

    Shape: (classes,).
    """
    if not bool(logits.isfinite().all()):
        return None
    # Doubles, so that the numbers that a reader sees add up.
    values = logits.double()
    below = values - values.max()
    exponentials = torch.exp(below)
    total = exponentials.sum()
    return Scores(
        tuple(values.tolist()),
        tuple(below.tolist()),
        tuple(exponentials.tolist()),
        float(total),
        tuple((exponentials / total).tolist()),
    )
