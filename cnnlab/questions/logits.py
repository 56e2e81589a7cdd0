"""Questions about logits: what the layers before an average leave possible."""

from dataclasses import dataclass

import torch

from cnnlab.networks.options import ACTIVATIONS
from cnnlab.questions.question import OfLayer
from cnnlab.questions.subject import Subject

YES, NO = "Yes", "No"


@dataclass(frozen=True)
class NegativeLogits(OfLayer):
    """Whether the averages of the last maps can be negative."""

    def text(self, on: Subject) -> str:
        last = self._last(on)
        path = self.path(on)
        kind = {"conv2d": "convolution"}.get(last.lower(), last)
        return (
            f"What stands right before `{path}` is of the kind {kind}. `{path}` averages every map "
            "to one logit. Can a logit be negative?"
        )

    def choices(self, on: Subject) -> tuple[str, ...]:  # noqa: ARG002
        return YES, NO

    def answer(self, on: Subject) -> str:
        return YES if self._lowest(on) < 0 else NO

    def why(self, on: Subject) -> str:
        last, lowest = self._last(on), self._lowest(on)
        if last not in {kind.__name__ for kind in ACTIVATIONS.values()}:
            return "What a convolution makes can have either sign, and so can an average of it."
        if lowest < 0:
            return (
                f"{last}(x) can be negative: of −1 it makes {self._of(on, -1):.2f}. So an "
                "average can be negative too."
            )
        return (
            f"{last}(x) is never negative: of −1 it makes {self._of(on, -1):.2f}. The average of "
            "numbers that are not negative is not negative."
        )

    def _last(self, on: Subject) -> str:
        return on.way(self.path(on))[-2].operation

    def _lowest(self, on: Subject) -> float:
        return min(self._of(on, x / 10) for x in range(-100, 1))

    def _of(self, on: Subject, x: float) -> float:
        """What the last layer makes of a number; a convolution hands on any."""
        node = on.way(self.path(on))[-2]
        if node.operation not in {kind.__name__ for kind in ACTIVATIONS.values()}:
            return x
        return float(on.module(node.path)(torch.tensor(float(x))))
