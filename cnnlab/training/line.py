"""The waiting line: first come, first served among visitors, not among jobs."""

from collections import OrderedDict, deque
from collections.abc import Iterator


class Line:
    """Takes one job from each visitor in turn, so that nobody waits behind another's pile."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, deque[str]] = OrderedDict()

    def add(self, visitor: str, job: str) -> None:
        self._jobs.setdefault(visitor, deque()).append(job)

    def take(self) -> str | None:
        """The next job; its visitor goes to the end of the line."""
        if not self._jobs:
            return None
        visitor, jobs = self._jobs.popitem(last=False)
        job = jobs.popleft()
        if jobs:
            self._jobs[visitor] = jobs
        return job

    def remove(self, job: str) -> bool:
        """Take a job out of the line; whether it was there."""
        for visitor, jobs in self._jobs.items():
            if job in jobs:
                jobs.remove(job)
                if not jobs:
                    del self._jobs[visitor]
                return True
        return False

    def waiting(self, visitor: str) -> int:
        """Jobs that a visitor has in the line."""
        return len(self._jobs.get(visitor, ()))

    def __iter__(self) -> Iterator[str]:
        """All jobs in the order in which they will be taken."""
        rounds = max(map(len, self._jobs.values()), default=0)
        for i in range(rounds):
            yield from (jobs[i] for jobs in self._jobs.values() if i < len(jobs))
