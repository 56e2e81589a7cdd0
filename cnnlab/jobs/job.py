"""Job: a run that the manager queues or has begun, and its place in the queue."""

import threading
from dataclasses import dataclass, field
from fractions import Fraction

from cnnlab.runs.records import RunRecord
from cnnlab.training.config import RunConfig


@dataclass(frozen=True)
class Place:
    """A place in the queue, 1 being the next; the wait is None where nothing is known."""

    place: int
    expected_wait_s: float | None


@dataclass(frozen=True)
class Standing:
    """A run as it stands in the line of all visitors; `running_s` is None while it waits."""

    run: RunRecord
    group: str | None
    running_s: float | None


@dataclass(eq=False)
class Job:
    """A run that waits or goes on; `begun_s` and `slot` are None while it waits.

    `share` is the part of its device that it takes up, `stopped` why it is to end early.
    """

    run: str
    visitor: str
    config: RunConfig
    group: str | None = None
    begun_s: float | None = None
    slot: int | None = None
    share: Fraction = Fraction(1)
    eta_s: float | None = None
    stopped: str | None = None
    finished: bool = False
    ended: threading.Event = field(default_factory=threading.Event)
