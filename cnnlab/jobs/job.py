"""A run in the hands of the manager, and its place in the line."""

from dataclasses import dataclass

from cnnlab.training.config import RunConfig


@dataclass(frozen=True)
class Place:
    """A place in the line, 1 being the next; the wait is None where nothing is known."""

    place: int
    expected_wait_s: float | None


@dataclass
class Job:
    """A run that waits or goes on; `begun_s` and `slot` are None while it waits."""

    run: str
    visitor: str
    config: RunConfig
    begun_s: float | None = None
    slot: int | None = None
    eta_s: float | None = None
    stopped: str | None = None
