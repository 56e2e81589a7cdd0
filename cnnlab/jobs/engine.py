"""Engine: takes a configuration and gives events."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate
from cnnlab.training.events import Event


class Engine(Protocol):
    """Runs several configurations at once, one in each slot.

    `devices` names the device of each slot. The runs on one device share it: their shares add up
    to 1 at most.
    """

    devices: Sequence[str]

    def takes(self, slot: int, config: RunConfig) -> bool:
        """Whether a slot can do this run; every run fits at least one."""

    def share(self, slot: int, grouped: bool) -> Fraction:
        """The part of the slot's device that a run takes up, alone or as one of a group."""

    def estimate(self, slot: int, config: RunConfig) -> Estimate | None:
        """How fast a slot does such runs; None as long as it is not known. Never waits."""

    def allowed_bytes(self, config: RunConfig, grouped: bool = False) -> int | None:
        """Memory that a run may take, alone or as one of a group; None where nobody knows here.

        Units: bytes.
        """

    def submit(
        self, slot: int, run: str, config: RunConfig, weights: Path, grouped: bool = False
    ) -> Iterator[Event]:
        """Do a run and give its events; the last one is an ending.

        The run can be cancelled as soon as this returns, before its events are asked for.
        Where this is a generator, closing it early gives the run up.
        """

    def cancel(self, run: str) -> None:
        """Ask a run to end soon. Unknown and ended runs are ignored."""

    def check(self) -> None:
        """Replace what no longer answers; called twice a second."""

    def close(self) -> None:
        """Give back all processes."""
