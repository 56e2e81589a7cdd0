"""The manager: one line of jobs, one thread per slot, everything written to the store."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Any

from cnnlab import catalog
from cnnlab.errors import TrainingError
from cnnlab.jobs.engine import Engine
from cnnlab.jobs.fair_queue import FairQueue, expected_wait_s
from cnnlab.jobs.job import Job, Place
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.pending_writes import PendingWrites
from cnnlab.jobs.permissions import own_run
from cnnlab.jobs.visitors import Visitors
from cnnlab.runs.records import environment, figures
from cnnlab.runs.store import ACTIVE, SERVER_STOPPED, RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate
from cnnlab.training.events import Cancelled, Event, Failed, Finished, Progress, Started

FLUSH_S = 0.15
WATCH_S = 0.5
# How often to look whether another server of the same folder has died.
ORPHANS_S = 10.0
# Engines end their runs when they are closed; a thread that does not notice is left behind.
CLOSING_S = 5.0

log = logging.getLogger(__name__)


__all__ = ["Place", "RunManager"]


class RunManager:
    """Queues runs, starts them when a slot is free, and ends those that nobody watches."""

    def __init__(
        self,
        store: RunStore,
        engine: Engine,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.readers = Visitors(clock)
        self.engine = engine
        self.settings = settings
        self._clock = clock
        self._writes = PendingWrites(store)
        self._line = FairQueue()
        self._jobs: dict[str, Job] = {}
        self._durations_s: deque[float] = deque(maxlen=20)
        self._orphans_s = -math.inf
        self._submitting = threading.Lock()
        # Guards all of the above; never held while something is read or written.
        self._lock = threading.Condition()
        self._closed = threading.Event()
        self._look_for_orphans()
        self._threads = [threading.Thread(target=self._watch, daemon=True)]
        for slot in range(engine.slots):
            self._threads.append(threading.Thread(target=self._serve, args=(slot,), daemon=True))
        for thread in self._threads:
            thread.start()

    # What a page asks for

    def submit(self, config: RunConfig, visitor: str, page: str, name: str | None = None) -> str:
        """Put a run into the line; returns its name in the store.

        Raises: TrainingError when the visitor has too many runs waiting, or the disk is full.
        """
        most = self.settings.queue_per_visitor
        with self._submitting:
            with self._lock:
                waiting = self._line.waiting(visitor)
            if waiting >= most:
                raise TrainingError(
                    f"You already have {most} runs waiting. Stop one of them, or wait until the "
                    "next begins."
                )
            if self._closed.is_set():
                raise TrainingError("The server is about to stop. Start the run again later.")
            self.readers.seen(visitor)
            title = catalog.NETWORKS[config.network].title
            run = self.store.add(config, visitor, page, name or title)
            with self._lock:
                self._jobs[run] = Job(run, visitor, config)
                self._line.add(visitor, run)
                self._lock.notify_all()
        return run

    def stop(self, run: str, visitor: str, wait_s: float = 0) -> None:
        """End one of the visitor's own runs, and wait a little until it has ended.

        Raises: TrainingError for somebody else's run.
        """
        own_run(self.store, run, visitor)
        if self._cancel(run, ""):
            with self._lock:
                self._lock.wait_for(lambda: run not in self._jobs, wait_s)
            return
        if not self._writes.flush():
            return
        if own_run(self.store, run, visitor).status in ACTIVE:
            raise TrainingError(
                f"Another server works on this run, with the same folder {self.store.home}. "
                "Stop it there."
            )

    def delete(self, run: str, visitor: str) -> None:
        """Forget one of the visitor's own runs. Raises: TrainingError for somebody else's."""
        if own_run(self.store, run, visitor).status in ACTIVE:
            raise TrainingError("This run is still going on. Stop it first, then delete it.")
        self.store.delete(run)

    def rename(self, run: str, visitor: str, name: str) -> None:
        """Raises: TrainingError for somebody else's run or an unusable name."""
        own_run(self.store, run, visitor)
        self.store.rename(run, name)

    def pin(self, run: str, visitor: str, pinned: bool) -> None:
        """Keep a run on top, or no longer. Raises: TrainingError for somebody else's."""
        own_run(self.store, run, visitor)
        self.store.pin(run, pinned)

    def share(self, run: str, visitor: str) -> str:
        """The secret of a run's link. Raises: TrainingError for somebody else's run."""
        own_run(self.store, run, visitor)
        return self.store.share(run)

    def seen(self, visitor: str) -> None:
        """The visitor is here; every page and every tick says so."""
        self.readers.seen(visitor)

    def arrived(self, visitor: str) -> None:
        """A tab of the visitor's opened; while it is open, their runs go on."""
        self.readers.arrived(visitor)

    def left(self, visitor: str) -> None:
        """A tab of the visitor's closed; after the grace period, their runs end."""
        self.readers.left(visitor)

    def place(self, run: str) -> Place | None:
        """Where a run stands in the line; None when it does not wait."""
        with self._lock:
            waiting = [self._jobs[other] for other in self._line]
            busy = {job.slot: job for job in self._jobs.values() if job.begun_s is not None}
            durations_s = list(self._durations_s)
        job = next((job for job in waiting if job.run == run), None)
        if job is None:
            return None
        index, slots = waiting.index(job), self._slots(job.config)
        ahead = sum(not slots.isdisjoint(self._slots(other.config)) for other in waiting[:index])
        each_s = sum(durations_s) / len(durations_s) if durations_s else None
        free_in_s = [self._time_left_s(busy.get(slot)) for slot in slots]
        return Place(index + 1, expected_wait_s(free_in_s, ahead, each_s))

    def estimate(self, config: RunConfig) -> Estimate | None:
        """How fast such a run would be here; None as long as it is not known. Never waits."""
        found = (self.engine.estimate(slot, config) for slot in self._slots(config))
        return next(filter(None, found), None)

    def _slots(self, config: RunConfig) -> set[int]:
        return {slot for slot in range(self.engine.slots) if self.engine.takes(slot, config)}

    def _time_left_s(self, job: Job | None) -> float | None:
        if job is None or job.begun_s is None:
            return 0.0
        allowed_s = self.settings.run_limit_s - (self._clock() - job.begun_s)
        return None if job.eta_s is None else max(0.0, min(job.eta_s, allowed_s))

    def close(self) -> None:
        """End all processes; the runs that they had are interrupted."""
        with self._lock:
            self._closed.set()
            self._lock.notify_all()
        self.engine.close()
        for thread in self._threads:
            thread.join(CLOSING_S)
        with self._lock:
            left = list(self._jobs)
            self._jobs.clear()
        for run in left:
            self._end(run, "interrupted", SERVER_STOPPED)

    # The slots

    def _serve(self, slot: int) -> None:
        while (job := self._next(slot)) is not None:
            try:
                self._do(slot, job)
            except Exception:
                log.exception("run %s", job.run)
                self._end(job.run, "failed", "The server could not follow the run; see its log.")
            finally:
                with self._lock:
                    self._jobs.pop(job.run, None)
                    self._line.done(job.visitor)
                    self._lock.notify_all()

    def _next(self, slot: int) -> Job | None:
        with self._lock:
            while not self._closed.is_set():
                run = self._line.take(lambda run: self.engine.takes(slot, self._jobs[run].config))
                if run is not None:
                    job = self._jobs[run]
                    job.begun_s, job.slot = self._clock(), slot
                    return job
                self._lock.wait()
        return None

    def _do(self, slot: int, job: Job) -> None:
        weights = self.store.weights_path(job.run)
        events = self.engine.submit(slot, job.run, job.config, weights)
        if job.stopped is not None:
            # Stopped between the line and the engine, which may not have known it then.
            self.engine.cancel(job.run)
        try:
            self._follow(job, events)
        finally:
            if isinstance(events, Generator):
                events.close()  # gives the run up where something went wrong here

    def _follow(self, job: Job, events: Iterator[Event]) -> None:
        unsaved: list[Event] = []
        flushed_s = -math.inf
        for event in events:
            if isinstance(event, Started):
                self._writes.add(partial(self.store.started, job.run, environment(event)))
                continue
            if isinstance(event, Finished | Cancelled | Failed):
                self._append(job.run, unsaved)
                self._conclude(job, event)
                return
            if isinstance(event, Progress):
                job.eta_s = event.eta_s
            unsaved.append(event)
            if time.monotonic() - flushed_s > FLUSH_S:
                self._append(job.run, unsaved)
                unsaved, flushed_s = [], time.monotonic()
        self._append(job.run, unsaved)
        raise RuntimeError("the engine gave no ending")

    def _append(self, run: str, events: list[Event]) -> None:
        if events:
            self._writes.add(partial(self.store.append, run, events))

    def _conclude(self, job: Job, event: Finished | Cancelled | Failed) -> None:
        if self._closed.is_set() and not isinstance(event, Finished):
            self._end(job.run, "interrupted", SERVER_STOPPED)
        elif isinstance(event, Failed):
            self._end(job.run, "failed", event.message, figures=figures(event))
        else:
            if isinstance(event, Finished) and job.begun_s is not None:
                self._durations_s.append(self._clock() - job.begun_s)
            stopped = job.stopped if isinstance(event, Cancelled) else None
            message = " ".join(part for part in (stopped, event.note) if part)
            self._end(job.run, event.type, message, event.weights, figures(event))

    def _end(
        self,
        run: str,
        status: str,
        message: str,
        weights: str | None = None,
        figures: dict[str, Any] | None = None,
    ) -> None:
        self._writes.add(partial(self.store.ended, run, status, message, weights, figures))

    # Ending what should not go on

    def _watch(self) -> None:
        while not self._closed.wait(WATCH_S):
            try:
                self.check()
            except Exception:
                # Without this thread no abandoned run would ever end.
                log.exception("the watch stumbled and goes on")

    def check(self) -> None:
        """End runs that take too long and runs whose reader is gone; write what waits."""
        now = self._clock()
        limit_s, grace_s = self.settings.run_limit_s, self.settings.grace_s
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            if job.begun_s is not None and now - job.begun_s > limit_s:
                self._cancel(job.run, f"Stopped: a run may take {limit_s:g} s here.")
            elif self.readers.gone_for_s(job.visitor) > grace_s:
                self._cancel(job.run, f"Stopped: nobody had watched it for {grace_s:g} s.")
        self.readers.forget(but={job.visitor for job in jobs}, older_than_s=grace_s)
        self._writes.flush()
        if now - self._orphans_s > ORPHANS_S:
            self._look_for_orphans()

    def _look_for_orphans(self) -> None:
        self._orphans_s = self._clock()
        try:
            self.store.mark_orphans()
        except TrainingError as error:
            log.warning("%s", error)

    def _cancel(self, run: str, reason: str) -> bool:
        """Stop a run, for the first reason given; whether it was in our hands."""
        with self._lock:
            job = self._jobs.get(run)
            if job is None:
                return False
            if job.stopped is None:
                job.stopped = reason
            waited = self._line.remove(run)
            if waited:
                del self._jobs[run]
        if waited:
            self._end(run, "cancelled", reason)
        else:
            self.engine.cancel(run)
        return True
