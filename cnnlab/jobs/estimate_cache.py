"""Cache of what runs of each kind were measured to take, and when to measure again."""

import threading
import time
from collections.abc import Callable

from cnnlab.training.estimate import Estimate

# Kinds of runs whose speed is kept.
REMEMBERED = 300
# What was measured beside other work is measured again after so long, until it was not.
RETAKE_S = 15.0


class EstimateCache:
    """Estimates by kind of run. All methods can be called at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, tuple[Estimate, float]] = {}
        self._asked: set[str] = set()
        self._lock = threading.Lock()

    def get(self, key: str) -> Estimate | None:
        """The best estimate so far."""
        with self._lock:
            return self._known[key][0] if key in self._known else None

    def ask(self, key: str) -> bool:
        """Whether the caller should have it measured now; until `note`, nobody else is told so."""
        with self._lock:
            if key in self._asked or not self._is_due(key):
                return False
            self._asked.add(key)
            return True

    def note(self, key: str, answer: Estimate | None) -> None:
        """Keep an answer; None where nothing could be measured."""
        with self._lock:
            self._asked.discard(key)
            if answer is None:
                return
            before, _ = self._known.pop(key, (answer, 0.0))
            if answer.busy and before.busy:
                # Other work only makes steps longer.
                answer = min(before, answer, key=lambda found: found.step_s)
            self._known[key] = answer, self._clock()
            while len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]

    def _is_due(self, key: str) -> bool:
        if key not in self._known:
            return True
        found, measured_s = self._known[key]
        return found.busy and self._clock() - measured_s >= RETAKE_S
