"""The manager: one line of jobs, one thread per slot, everything written to the store."""

import logging
import os
import platform
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torchvision

from cnnlab.errors import TrainingError
from cnnlab.training.config import RunConfig
from cnnlab.training.engines import Engine
from cnnlab.training.events import Cancelled, Event, Failed, Finished, Started
from cnnlab.training.line import Line
from cnnlab.training.settings import Settings
from cnnlab.training.store import ACTIVE, RunRecord, RunStore

FLUSH_S = 0.15
WATCH_S = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """A place in the line, 1 being the next; the wait is None where nothing is known."""

    place: int
    expected_wait_s: float | None


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
        self.engine = engine
        self.settings = settings
        self._clock = clock
        self._line = Line()
        self._lock = threading.Condition()
        self._running: dict[str, float] = {}
        self._seen: dict[str, float] = {}
        self._reasons: dict[str, str] = {}
        self._closed = False
        store.mark_orphans()
        for slot in range(engine.slots):
            threading.Thread(target=self._serve, args=(slot,), daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    # What a page asks for

    def submit(self, config: RunConfig, visitor: str, page: str, name: str) -> str:
        """Put a run into the line; returns its name in the store.

        Raises: TrainingError when the visitor has too many runs waiting.
        """
        with self._lock:
            most = self.settings.queue_per_visitor
            if self._line.waiting(visitor) >= most:
                raise TrainingError(
                    f"You already have {most} runs waiting. Stop one of them, or wait until the "
                    "next begins."
                )
            try:
                run = self.store.add(config, visitor, page, name)
            except sqlite3.OperationalError as error:
                raise TrainingError(
                    f"The run could not be noted in {self.store.home} ({error}). Free some space "
                    "there, or ask whoever runs this server."
                ) from error
            self._seen[visitor] = self._clock()
            self._line.add(visitor, run)
            self._lock.notify()
        return run

    def stop(self, run: str, visitor: str) -> None:
        """End one of the visitor's own runs. Raises: TrainingError for somebody else's."""
        self._own(run, visitor)
        self._cancel(run, "")

    def delete(self, run: str, visitor: str) -> None:
        """Forget one of the visitor's own runs. Raises: TrainingError for somebody else's."""
        if self._own(run, visitor).status in ACTIVE:
            raise TrainingError("This run is still going on. Stop it first, then delete it.")
        self.store.delete(run)

    def seen(self, visitor: str) -> None:
        """Note that the visitor is here; every page and every tick says so."""
        self._seen[visitor] = self._clock()

    def place(self, run: str) -> Place | None:
        """Where a run stands in the line; None when it does not wait."""
        with self._lock:
            waiting = list(self._line)
            if run not in waiting:
                return None
            place = waiting.index(run) + 1
            left = [self._time_left_s(active) for active in self._running]
        if any(time_left is None for time_left in left) or place > 1 or not left:
            return Place(place, None)
        return Place(place, min(time_left for time_left in left if time_left is not None))

    def close(self) -> None:
        """End all processes; running runs are marked interrupted at the next start."""
        with self._lock:
            self._closed = True
            self._lock.notify_all()
        self.engine.close()

    # The slots

    def _serve(self, slot: int) -> None:
        while (run := self._next()) is not None:
            try:
                self._do(slot, run)
            except Exception:
                log.exception("run %s", run)
                self._end(run, "failed", "The server could not follow the run; see its log.")
            finally:
                with self._lock:
                    self._running.pop(run, None)
                    self._reasons.pop(run, None)

    def _next(self) -> str | None:
        with self._lock:
            while not self._closed:
                run = self._line.take()
                if run is not None:
                    self._running[run] = self._clock()
                    return run
                self._lock.wait()
        return None

    def _do(self, slot: int, run: str) -> None:
        record = self.store.run(run)
        if record is None:
            return
        waiting: list[Event] = []
        flushed_s = 0.0
        for event in self.engine.submit(slot, run, record.config, self.store.weights_path(run)):
            if isinstance(event, Started):
                self.store.started(run, environment(event))
                continue
            if isinstance(event, Finished | Cancelled | Failed):
                self._append(run, waiting)
                self._conclude(run, event)
                return
            waiting.append(event)
            if time.monotonic() - flushed_s > FLUSH_S:
                self._append(run, waiting)
                waiting, flushed_s = [], time.monotonic()

    def _append(self, run: str, events: list[Event]) -> None:
        try:
            self.store.append(run, events)
        except sqlite3.OperationalError as error:
            # A full disk must not end the run; its outcome may still find room.
            log.warning("points of run %s are lost: %s", run, error)
            self.store.notice = (
                f"Points of a run could not be written to {self.store.home} ({error}). "
                "Free some space there."
            )

    def _conclude(self, run: str, event: Finished | Cancelled | Failed) -> None:
        if self._closed:
            return  # the next start marks it as interrupted
        if isinstance(event, Failed):
            self._end(run, "failed", event.message)
            return
        reason = self._reasons.get(run, "")
        message = " ".join(part for part in (reason, event.note) if part)
        self._end(run, event.kind, message, event.weights)

    def _end(self, run: str, status: str, message: str, weights: str | None = None) -> None:
        try:
            self.store.ended(run, status, message, weights)
        except sqlite3.OperationalError as error:
            log.warning("the end of run %s could not be noted: %s", run, error)

    # Ending what should not go on

    def _watch(self) -> None:
        while not self._closed:
            try:
                self.check()
            except sqlite3.OperationalError as error:
                log.warning("%s", error)
            time.sleep(WATCH_S)

    def check(self) -> None:
        """End runs that take too long and runs whose reader is gone."""
        now = self._clock()
        with self._lock:
            running = dict(self._running)
            runs = [*running, *self._line]
        for run in runs:
            started = running.get(run)
            if started is not None and now - started > self.settings.run_limit_s:
                self._cancel(run, f"Stopped: a run may take {self.settings.run_limit_s:g} s here.")
                continue
            record = self.store.run(run)
            if record and now - self._seen.get(record.visitor, now) > self.settings.grace_s:
                self._cancel(
                    run, f"Stopped: nobody had watched it for {self.settings.grace_s:g} s."
                )

    def _cancel(self, run: str, reason: str) -> None:
        with self._lock:
            waited = self._line.remove(run)
            if not waited and run in self._running and run not in self._reasons:
                self._reasons[run] = reason
        if waited:
            self._end(run, "cancelled", reason)
        else:
            self.engine.cancel(run)

    def _own(self, run: str, visitor: str) -> RunRecord:
        record = self.store.run(run)
        if record is None or record.visitor != visitor:
            raise TrainingError("This run is not yours, or it does not exist any more.")
        return record

    def _time_left_s(self, run: str) -> float | None:
        return self.store.curve(run).eta_s


def environment(started: Started) -> dict[str, Any]:
    """What a run ran on, so that its figures can be understood later."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "cores": os.cpu_count(),
        **started.model_dump(exclude={"kind"}),
    }
