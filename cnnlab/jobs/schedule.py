"""Schedule of jobs: the fair queue on one side, an engine's slots on the other."""

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from cnnlab.jobs.engine import Engine
from cnnlab.jobs.expected_times import Demand, begin_times_s, known
from cnnlab.jobs.fair_queue import FairQueue
from cnnlab.jobs.job import Job, Place
from cnnlab.training.config import RunConfig

# Runs whose durations tell how long the next ones may take.
REMEMBERED = 50


class Schedule:
    """The jobs that wait and the jobs that are being done. All methods can be called at once."""

    def __init__(self, engine: Engine, run_limit_s: float, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._run_limit_s = run_limit_s
        self._clock = clock
        self._queue = FairQueue()
        self._jobs: dict[str, Job] = {}
        self._durations_s: deque[tuple[str | None, float]] = deque(maxlen=REMEMBERED)
        self._closed = self.paused = False
        # Guards all of the above; never held while something is read or written.
        self._lock = threading.Lock()

    def add(self, jobs: Sequence[Job]) -> None:
        """Put one visitor's jobs into the queue, as one submission."""
        with self._lock:
            self._jobs |= {job.run: job for job in jobs}
            self._queue.add(jobs[0].visitor, [job.run for job in jobs])

    def waiting(self, visitor: str) -> int:
        """Submissions of a visitor of which no run has begun."""
        with self._lock:
            return self._queue.waiting(visitor)

    def length(self) -> int:
        """Submissions of all visitors of which no run has begun."""
        with self._lock:
            return self._queue.length()

    def holds_up(self, job: Job) -> bool:
        """Whether somebody else waits for what a running job has."""
        with self._lock:
            waiting = [self._jobs[run] for run in self._queue]
        return any(
            other.visitor != job.visitor and job.slot in self.slots(other.config)
            for other in waiting
        )

    def begin(self) -> list[Job]:
        """Give slots to all jobs for which there is room now; they count as begun."""
        begun = []
        with self._lock:
            while not (self._closed or self.paused) and (job := self._next()) is not None:
                job.begun_s = self._clock()
                begun.append(job)
        return begun

    def end(self, job: Job) -> None:
        """A job that had begun is over."""
        with self._lock:
            self._jobs.pop(job.run, None)
            self._queue.done(job.visitor)
            if job.finished and job.begun_s is not None:
                self._durations_s.append((job.group, self._clock() - job.begun_s))
        job.ended.set()

    def withdraw(self, runs: Iterable[str], reason: str) -> tuple[list[Job], list[Job]]:
        """Stop jobs, each for the first reason given; those that waited, and those that go on."""
        with self._lock:
            jobs = [job for run in runs if (job := self._jobs.get(run)) is not None]
            waited = [job for job in jobs if self._queue.remove(job.run)]
            for job in jobs:
                job.stopped = reason if job.stopped is None else job.stopped
            for job in waited:
                del self._jobs[job.run]
        for job in waited:
            job.ended.set()
        return waited, [job for job in jobs if job not in waited]

    def prefer(self, run: str) -> None:
        """Put a waiting job before all others."""
        with self._lock:
            self._queue.prefer(run)

    def pause(self, paused: bool) -> None:
        """Begin nothing as long as it is paused; what goes on is not touched."""
        with self._lock:
            self.paused = paused

    def line(self) -> list[Job]:
        """All jobs: those that go on, the longest first, then those that wait, in their order."""
        with self._lock:
            going_on = [job for job in self._jobs.values() if job.begun_s is not None]
            waiting = [self._jobs[run] for run in self._queue]
        return sorted(going_on, key=lambda job: job.begun_s or 0.0) + waiting

    def close(self) -> None:
        """Begin nothing any more."""
        with self._lock:
            self._closed = True

    def empty(self) -> list[Job]:
        """Take everything that is left out of the schedule."""
        with self._lock:
            left = list(self._jobs.values())
            self._jobs.clear()
        return left

    def jobs(self) -> list[Job]:
        """All jobs, waiting or not."""
        with self._lock:
            return list(self._jobs.values())

    def slots(self, config: RunConfig) -> list[int]:
        """The slots that can do such a run."""
        engine = self._engine
        return [slot for slot in range(len(engine.devices)) if engine.takes(slot, config)]

    def at_once(self, config: RunConfig) -> int:
        """How many such runs of a group go side by side where nothing else is done."""
        slots = self.slots(config)
        devices = {self._engine.devices[slot] for slot in slots}
        return min(len(slots), int(len(devices) / self._engine.share(slots[0], True)))

    def place(self, run: str) -> Place | None:
        """Where a run stands in the queue; None when it does not wait."""
        with self._lock:
            waiting = [self._jobs[other] for other in self._queue]
            job = next((job for job in waiting if job.run == run), None)
            if job is None:
                return None
            index = waiting.index(job)
            wait_s = self._begin_times_s(job, waiting[: index + 1])[run]
        return Place(index + 1, known(wait_s))

    def time_left_s(self, group: str) -> float | None:
        """When the last run of a group will have ended; None where nobody knows yet."""
        with self._lock:
            own = [job for job in self._jobs.values() if job.group == group]
            ends = [self._time_left_s(job) for job in own if job.begun_s is not None]
            waiting = [self._jobs[run] for run in self._queue]
            waits = [job for job in waiting if job.group == group]
            if waits:
                begins = self._begin_times_s(waits[0], waiting)
                ends += [begins.get(job.run, math.inf) + self._expected_s(job) for job in waits]
        return known(max(ends, default=0.0))

    def _next(self) -> Job | None:
        """The first job for which there is room, with its slot."""
        held: set[str] = set()

        def fits(run: str) -> bool:
            job = self._jobs[run]
            slots = self.slots(job.config)
            job.slot = next((slot for slot in slots if self._has_room(slot, job, held)), None)
            # Nobody overtakes it on a device that it waits for, or small jobs would starve it.
            held.update(self._engine.devices[slot] for slot in slots)
            return job.slot is not None

        run = self._queue.take(fits)
        return None if run is None else self._jobs[run]

    def _has_room(self, slot: int, job: Job, held: set[str]) -> bool:
        device = self._engine.devices[slot]
        busy = [other for other in self._jobs.values() if other.begun_s is not None]
        if device in held or any(other.slot == slot for other in busy):
            return False
        job.share = self._engine.share(slot, job.group is not None)
        taken = sum((other.share for other in busy if self._device(other) == device), Fraction(0))
        return taken + job.share <= 1

    def _device(self, job: Job) -> str | None:
        return None if job.slot is None else self._engine.devices[job.slot]

    def _begin_times_s(self, job: Job, waiting: Sequence[Job]) -> dict[str, float]:
        """When the jobs begin that wait for the same devices as this one."""
        slots = self.slots(job.config)
        devices = {self._engine.devices[slot] for slot in slots}
        running = [
            Demand(self._time_left_s(other), other.share)
            for other in self._jobs.values()
            if other.begun_s is not None and self._device(other) in devices
        ]
        rivals = [other for other in waiting if not set(slots).isdisjoint(self.slots(other.config))]
        demands = [Demand(self._expected_s(other), self._wanted(other)) for other in rivals]
        times_s = begin_times_s(len(devices), running, demands)
        return {other.run: time_s for other, time_s in zip(rivals, times_s, strict=True)}

    def _wanted(self, job: Job) -> Fraction:
        return self._engine.share(self.slots(job.config)[0], job.group is not None)

    def _time_left_s(self, job: Job) -> float:
        if job.begun_s is None:
            return math.inf
        done_s = self._clock() - job.begun_s
        left_s = self._expected_s(job) - done_s if job.eta_s is None else job.eta_s
        return (
            max(0.0, min(left_s, self._run_limit_s - done_s)) if math.isfinite(left_s) else left_s
        )

    def _expected_s(self, job: Job) -> float:
        """How long a job takes, by those of its group, or else by all of late."""
        times_s = [time_s for group, time_s in self._durations_s if group == job.group]
        if job.group is not None and not times_s:
            now = self._clock()
            times_s = [
                now - other.begun_s + other.eta_s
                for other in self._jobs.values()
                if other.group == job.group
                and other.begun_s is not None
                and other.eta_s is not None
            ]
        times_s = times_s or [time_s for _, time_s in self._durations_s]
        return sum(times_s) / len(times_s) if times_s else math.inf
