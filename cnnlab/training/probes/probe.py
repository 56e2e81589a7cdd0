"""Probe: a setting of a run that says what to read off some of its steps."""

from collections.abc import Generator
from typing import Protocol

from PIL.Image import Image
from pydantic import Field
from torch import Tensor, nn

from cnnlab.validated import Validated

# What was read, still on the device: tensors by layer and name. "" is the network as a whole.
Readings = dict[str, dict[str, Tensor]]


class Observed(Protocol):
    """What a probe sees of a run."""

    @property
    def model(self) -> nn.Module: ...

    def logits(self, images: Tensor) -> Tensor:
        """The network's answer, in the run's number format and in the mode that it is in."""

    def as_input(self, picture: Image) -> Tensor:
        """A picture as a batch of one, as the network takes it."""


class Probe(Validated):
    """One kind of observation. A subclass gives `kind` a default and reads in `observe`.

    A probe changes nothing of the run: no weight, no mode, no random number.
    """

    kind: str
    every: int | None = Field(
        None, ge=1, le=100_000, description="Steps between two looks; empty: dense at first."
    )

    def check(self, model: nn.Module) -> None:
        """Raises: ConfigError where the network lacks what is to be observed."""

    def observe(self, run: Observed) -> Generator[None, None, Readings]:
        """Read one step. It stops twice: for the forward and backward pass, then for the update.

        What it opens (hooks) it closes, also when it is ended in the middle.
        """
        raise NotImplementedError
