"""One curve from several attempts at a run: what a restart does again is not shown again."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cnnlab.training.events import Event, Failed, Measurement, Started


@dataclass
class RestartedCurve:
    """Curve of a run over its attempts: knows what was shown, and drops what a new attempt repeats.

    The same configuration gives the same steps, so a run that starts again from its first step
    is silent until it has passed the last one shown. Its times go on from the first start: the
    time that was lost stays in the curve.
    """

    clock: Callable[[], float] = time.monotonic
    step: int = 0
    epoch: float = 0.0
    elapsed_s: float = 0.0
    restarts: int = 0
    _begun_s: float | None = None
    _lost_s: float = 0.0
    _shown: dict[tuple[str, ...], int] = field(default_factory=dict)

    def add(self, event: Event) -> Event | None:
        """The event as the reader shall see it; None where it was seen before."""
        if isinstance(event, Started):
            if self._begun_s is not None:
                self._lost_s = self.clock() - self._begun_s
                return None
            self._begun_s = self.clock()
            return event
        if event.step <= self._shown.get(_series(event), -1):
            return None
        self._shown[_series(event)] = event.step
        if not isinstance(event, Failed):
            self.epoch = max(self.epoch, event.epoch)
        self.step = max(self.step, event.step)
        self.elapsed_s = self._lost_s + event.elapsed_s
        return event.model_copy(update={"elapsed_s": self.elapsed_s})

    def note(self) -> str | None:
        """What a reader of the curve must know, for the run's end."""
        if not self.restarts:
            return None
        times = "once" if self.restarts == 1 else f"{self.restarts} times"
        return (
            f"A machine was lost and the run started again {times}; the curve's gap in seconds is "
            "the work that was done again."
        )


def _series(event: Event) -> tuple[str, ...]:
    """What an event belongs to that has at most one of it at a step."""
    if isinstance(event, Measurement):
        return event.type, event.kind, event.layer or ""
    return (event.type,)
