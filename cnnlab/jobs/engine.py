"""What an engine is: it takes a configuration and gives events."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate
from cnnlab.training.events import Event


class Engine(Protocol):
    """Runs several configurations at once, one in each slot."""

    slots: int

    def takes(self, slot: int, config: RunConfig) -> bool:
        """Whether a slot can do this run; every run fits at least one."""

    def estimate(self, slot: int, config: RunConfig) -> Estimate | None:
        """How fast a slot does such runs; None as long as it is not known. Never waits."""

    def submit(self, slot: int, run: str, config: RunConfig, weights: Path) -> Iterator[Event]:
        """Do a run and give its events; the last one is an ending.

        The run can be cancelled as soon as this returns, before its events are asked for.
        Where this is a generator, closing it early gives the run up.
        """

    def cancel(self, run: str) -> None:
        """Ask a run to end soon. Unknown and ended runs are ignored."""

    def close(self) -> None:
        """Give back all processes."""
