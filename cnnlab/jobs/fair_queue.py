"""Fair queue: first come, first served among visitors, not among jobs."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain


@dataclass
class _Submission:
    """What a visitor asked for in one go: one job or a group of them."""

    jobs: list[str]
    begun: bool = False


class FairQueue:
    """Takes one job from each visitor in turn, so that nobody waits behind another's pile.

    Each visitor has one place, whether they wait for single jobs or for groups. Whoever has had a
    job done goes to the end, and as long as one is being done, visitors without come first: so
    another visitor's job gets its turn between two jobs of a group.
    """

    def __init__(self) -> None:
        self._submissions: OrderedDict[str, list[_Submission]] = OrderedDict()
        self._served: Counter[str] = Counter()
        self._preferred: list[str] = []

    def add(self, visitor: str, jobs: Sequence[str]) -> None:
        """Append one submission, which may be a group of jobs."""
        self._submissions.setdefault(visitor, []).append(_Submission([*jobs]))

    def take(self, fits: Callable[[str], bool] = lambda _job: True) -> str | None:
        """The next job that fits, or None; tell `done` when it is."""
        job = next(filter(fits, self), None)
        if job is not None:
            visitor, submission = self._find(job)
            submission.begun = True
            self._drop(visitor, submission, job)
            self._served[visitor] += 1
        return job

    def done(self, visitor: str) -> None:
        """One of the visitor's jobs has ended."""
        self._served[visitor] -= 1
        if self._served[visitor] <= 0:
            del self._served[visitor]
        if visitor in self._submissions:
            self._submissions.move_to_end(visitor)

    def remove(self, job: str) -> bool:
        """Take a job out of the queue; whether it was there."""
        if job not in self:
            return False
        self._drop(*self._find(job), job)
        return True

    def prefer(self, job: str) -> None:
        """Put a waiting job before all others."""
        if job in self:
            self._preferred = [job, *(other for other in self._preferred if other != job)]

    def waiting(self, visitor: str) -> int:
        """Submissions of a visitor of which no job has begun."""
        return sum(not submission.begun for submission in self._submissions.get(visitor, ()))

    def length(self) -> int:
        """Submissions of all visitors of which no job has begun."""
        return sum(map(self.waiting, self._submissions))

    def __iter__(self) -> Iterator[str]:
        """All jobs in the order in which they will be taken, as far as it can be known."""
        preferred = [job for job in self._preferred if self._is_waiting(job)]
        yield from preferred
        yield from (job for job in self._fair() if job not in preferred)

    def _fair(self) -> Iterator[str]:
        order = sorted(self._submissions, key=lambda visitor: self._served[visitor])
        own = [
            list(chain.from_iterable(one.jobs for one in self._submissions[visitor]))
            for visitor in order
        ]
        for turn in range(max(map(len, own), default=0)):
            yield from (jobs[turn] for jobs in own if turn < len(jobs))

    def _is_waiting(self, job: str) -> bool:
        own = chain.from_iterable(self._submissions.values())
        return any(job in submission.jobs for submission in own)

    def _find(self, job: str) -> tuple[str, _Submission]:
        return next(
            (visitor, submission)
            for visitor, submissions in self._submissions.items()
            for submission in submissions
            if job in submission.jobs
        )

    def _drop(self, visitor: str, submission: _Submission, job: str) -> None:
        submission.jobs.remove(job)
        self._preferred = [other for other in self._preferred if other != job]
        if not submission.jobs:
            self._submissions[visitor].remove(submission)
        if not self._submissions[visitor]:
            del self._submissions[visitor]
