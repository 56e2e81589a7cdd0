"""Cache of what runs of each kind were measured to take, and what to measure next."""

import threading
import time
from collections.abc import Callable

from cnnlab.training.estimate import Estimate

# Kinds of runs whose speed is kept.
REMEMBERED = 300
# What was measured beside other work is measured again after so long, until it was not.
RETAKE_S = 15.0
# Pages ask again twice a second. What none has asked for since is of knobs that were moved on.
WANTED_S = 2.0


class EstimateCache:
    """Estimates of one device by kind of run. All methods can be called at once.

    `at_once` are measured at a time; of what waits, the longest wanted comes first, and what is no
    longer wanted never comes.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, at_once: int = 2) -> None:
        self._clock = clock
        self._at_once = at_once
        self._known: dict[str, tuple[Estimate, float]] = {}
        # In the order in which they were asked.
        self._asked: dict[str, float] = {}
        self._wanted: dict[str, float] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Estimate | None:
        """The best estimate so far."""
        with self._lock:
            return self._known[key][0] if key in self._known else None

    def ask(self, key: str) -> bool:
        """Whether the caller should have it measured now; until `note`, nobody else is told so."""
        now = self._clock()
        with self._lock:
            if key in self._asked or not self._is_due(key):
                return False
            # Asked again, it keeps its place.
            self._wanted[key] = now
            self._wanted = {k: s for k, s in self._wanted.items() if now - s <= WANTED_S}
            first = list(self._wanted)[: max(0, self._at_once - len(self._asked))]
            if key not in first:
                return False
            del self._wanted[key]
            self._asked[key] = now
            return True

    def note(self, key: str, answer: Estimate | None) -> None:
        """Keep an answer; None where nothing could be measured."""
        with self._lock:
            self._asked.pop(key, None)
            self._keep(key, answer)

    def broke(self, problem: str) -> str | None:
        """The process that measured is gone: what it worked on is not tried again.

        Returns the problem and the kind of run, for the log; None where it measured nothing.
        """
        with self._lock:
            guilty = next(iter(self._asked), None)
            self._asked.clear()
            if guilty is None:
                return None
            self._keep(guilty, Estimate(problem=problem))
        return f"{problem} {guilty}"

    def interrupted(self) -> None:
        """The process that measured is gone for another reason: all can be asked again."""
        with self._lock:
            self._asked.clear()

    def waits_s(self) -> float:
        """How long the oldest question has been without an answer. Units: seconds."""
        now = self._clock()
        with self._lock:
            return max((now - asked_s for asked_s in self._asked.values()), default=0.0)

    def _keep(self, key: str, answer: Estimate | None) -> None:
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
