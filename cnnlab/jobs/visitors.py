"""Presence of visitors, so that a run that nobody looks at does not hold the machine."""

import threading
from collections import Counter
from collections.abc import Callable, Container


class Visitors:
    """Visitors by their open tabs and by when they last did something."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}
        self._tabs: Counter[str] = Counter()

    def seen(self, visitor: str) -> None:
        """A page of the visitor's was drawn, or ticked."""
        with self._lock:
            self._seen[visitor] = self._clock()

    def arrived(self, visitor: str) -> None:
        """A tab opened: the visitor is here until it closes, though they may only read."""
        with self._lock:
            self._tabs[visitor] += 1
            self._seen[visitor] = self._clock()

    def left(self, visitor: str) -> None:
        """A tab closed; a reload opens the next one soon."""
        with self._lock:
            self._seen[visitor] = self._clock()
            self._tabs[visitor] -= 1
            if self._tabs[visitor] <= 0:
                del self._tabs[visitor]

    def gone_for_s(self, visitor: str) -> float:
        """Seconds since the visitor was here; 0 while a tab is open."""
        with self._lock:
            now = self._clock()
            # Somebody never seen has started a run by other means, and is given time too.
            seen = self._seen.setdefault(visitor, now)
            return 0.0 if visitor in self._tabs else now - seen

    def forget(self, but: Container[str], older_than_s: float) -> None:
        """Drop visitors who left long ago, all `but` those given."""
        with self._lock:
            now = self._clock()
            self._seen = {
                visitor: seen
                for visitor, seen in self._seen.items()
                if visitor in but or visitor in self._tabs or now - seen <= older_than_s
            }
