"""Follower of runs: reads the events of an engine and writes them to the store."""

import math
import threading
import time
from collections.abc import Generator, Iterator
from functools import partial
from typing import Any

from cnnlab.jobs.engine import Engine
from cnnlab.jobs.job import Job
from cnnlab.jobs.pending_writes import PendingWrites
from cnnlab.runs.records import environment, figures
from cnnlab.runs.store import SERVER_STOPPED, RunStore
from cnnlab.training.events import Cancelled, Event, Failed, Finished, Progress, Started

FLUSH_S = 0.15
UNKEPT = (
    "How this run ended could not be kept; the server's log has the reason. The points so far are "
    "kept."
)


class Follower:
    """Has an engine do runs and keeps what they report; `closing`: the server is about to stop."""

    def __init__(
        self, store: RunStore, engine: Engine, writes: PendingWrites, closing: threading.Event
    ) -> None:
        self._store = store
        self._engine = engine
        self._writes = writes
        self._closing = closing

    def follow(self, job: Job) -> None:
        """Do a run that has a slot, from its first event to its last."""
        assert job.slot is not None
        weights = self._store.weights_path(job.run)
        grouped = job.group is not None
        events = self._engine.submit(job.slot, job.run, job.config, weights, grouped)
        if job.stopped is not None:
            # Stopped between the queue and the engine, which may not have known it then.
            self._engine.cancel(job.run)
        try:
            self._keep(job, events)
        finally:
            if isinstance(events, Generator):
                events.close()  # gives the run up where something went wrong here

    def end(
        self,
        run: str,
        status: str,
        message: str,
        weights: str | None = None,
        figures: dict[str, Any] | None = None,
    ) -> None:
        """Note how a run ended; the first ending counts."""
        self._writes.add(
            partial(self._store.ended, run, status, message, weights, figures),
            partial(self._store.ended, run, "failed", UNKEPT),
        )

    def _keep(self, job: Job, events: Iterator[Event]) -> None:
        unsaved: list[Event] = []
        flushed_s = -math.inf
        for event in events:
            if isinstance(event, Started):
                self._writes.add(partial(self._store.started, job.run, environment(event)))
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
            self._writes.add(partial(self._store.append, run, events))

    def _conclude(self, job: Job, event: Finished | Cancelled | Failed) -> None:
        if self._closing.is_set() and not isinstance(event, Finished):
            self.end(job.run, "interrupted", SERVER_STOPPED)
        elif isinstance(event, Failed):
            self.end(job.run, "failed", event.message, figures=figures(event))
        else:
            job.finished = isinstance(event, Finished)
            stopped = None if job.finished else job.stopped
            message = " ".join(part for part in (stopped, event.note) if part)
            self.end(job.run, event.type, message, event.weights, figures(event))
