"""The fair queue: first come, first served among visitors, not among jobs."""

import heapq
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence


class FairQueue:
    """Takes one job from each visitor in turn, so that nobody waits behind another's pile.

    Each visitor has one place. Whoever has had a job done goes to the end of the line, and
    as long as one is being done, visitors without come first.
    """

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, list[str]] = OrderedDict()
        self._served: Counter[str] = Counter()

    def add(self, visitor: str, job: str) -> None:
        self._jobs.setdefault(visitor, []).append(job)

    def take(self, fits: Callable[[str], bool] = lambda _job: True) -> str | None:
        """The next job that fits, or None; tell `done` when it is."""
        for visitor in self._order():
            job = next(filter(fits, self._jobs[visitor]), None)
            if job is not None:
                self._drop(visitor, job)
                self._served[visitor] += 1
                return job
        return None

    def done(self, visitor: str) -> None:
        """One of the visitor's jobs has ended."""
        self._served[visitor] -= 1
        if self._served[visitor] <= 0:
            del self._served[visitor]
        if visitor in self._jobs:
            self._jobs.move_to_end(visitor)

    def remove(self, job: str) -> bool:
        """Take a job out of the line; whether it was there."""
        for visitor, jobs in self._jobs.items():
            if job in jobs:
                self._drop(visitor, job)
                return True
        return False

    def waiting(self, visitor: str) -> int:
        """Jobs that a visitor has in the line."""
        return len(self._jobs.get(visitor, ()))

    def __iter__(self) -> Iterator[str]:
        """All jobs in the order in which they will be taken, as far as it can be known."""
        order = self._order()
        rounds = max(map(len, self._jobs.values()), default=0)
        for i in range(rounds):
            yield from (self._jobs[v][i] for v in order if i < len(self._jobs[v]))

    def _order(self) -> list[str]:
        return sorted(self._jobs, key=lambda visitor: self._served[visitor])

    def _drop(self, visitor: str, job: str) -> None:
        self._jobs[visitor].remove(job)
        if not self._jobs[visitor]:
            del self._jobs[visitor]


def expected_wait_s(
    free_in_s: Sequence[float | None], ahead: int, each_s: float | None
) -> float | None:
    """When a slot is free for the next but `ahead` job; None where nothing is known.

    `free_in_s` holds one time for each slot, `each_s` is how long a job takes.
    """
    known = [each_s if free is None else free for free in free_in_s]
    times = [time for time in known if time is not None]
    if not times or len(times) < len(known) or (ahead and each_s is None):
        return None
    heapq.heapify(times)
    for _ in range(ahead):
        heapq.heapreplace(times, times[0] + (each_s or 0.0))
    return times[0]
