"""Watchdog: ends runs that take too long, and runs that nobody looks at."""

import logging
import math
import threading
from collections.abc import Callable, Sequence

from cnnlab.errors import TrainingError
from cnnlab.jobs.engine import Engine
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.pending_writes import PendingWrites
from cnnlab.jobs.schedule import Schedule
from cnnlab.jobs.visitors import Visitors
from cnnlab.runs.store import RunStore

WATCH_S = 0.5
# How often to look whether another server of the same folder has died.
ORPHANS_S = 10.0

log = logging.getLogger(__name__)


class Watch:
    """Looks at all jobs twice a second, and at what waits to be written."""

    def __init__(
        self,
        schedule: Schedule,
        engine: Engine,
        visitors: Visitors,
        settings: Settings,
        store: RunStore,
        writes: PendingWrites,
        cancel: Callable[[Sequence[str], str], object],
        clock: Callable[[], float],
    ) -> None:
        self._schedule = schedule
        self._engine = engine
        self._visitors = visitors
        self._settings = settings
        self._store = store
        self._writes = writes
        self._cancel = cancel
        self._clock = clock
        self._orphans_s = -math.inf
        self.look_for_orphans()

    def until(self, closing: threading.Event) -> None:
        """Look again and again, until the server stops."""
        while not closing.wait(WATCH_S):
            try:
                self.check()
            except Exception:
                # Without this thread no abandoned run would ever end.
                log.exception("the watch goes on after an error")

    def check(self) -> None:
        """End runs that take too long and runs whose reader is gone; write what waits."""
        now = self._clock()
        limit_s, grace_s = self._settings.run_limit_s, self._settings.grace_s
        jobs = self._schedule.jobs()
        gone = [job.run for job in jobs if self._visitors.gone_for_s(job.visitor) > grace_s]
        begun_s = {job: now - job.begun_s for job in jobs if job.begun_s is not None}
        late = [job.run for job, time_s in begun_s.items() if time_s > limit_s]
        self._cancel(late, f"Stopped: a run may take {limit_s:g} s here.")
        shorter_s = self._settings.run_limit_waiting_s
        holding_up = [
            job.run
            for job, time_s in begun_s.items()
            if time_s > shorter_s and self._schedule.holds_up(job)
        ]
        self._cancel(
            holding_up, f"Stopped: a run may take {shorter_s:g} s here while somebody waits."
        )
        self._cancel(gone, f"Stopped: nobody had watched it for {grace_s:g} s.")
        self._visitors.forget(but={job.visitor for job in jobs}, older_than_s=grace_s)
        self._writes.flush()
        self._engine.check()
        if now - self._orphans_s > ORPHANS_S:
            self.look_for_orphans()
            self.make_room()

    def make_room(self) -> None:
        """Delete the oldest weights where they take more than they may."""
        try:
            if gone := self._store.weights.make_room(self._settings.quota):
                log.info("the weights of %d runs made room for newer ones", len(gone))
        except TrainingError as error:
            log.warning("%s", error)

    def look_for_orphans(self) -> None:
        """Mark the runs of servers that have died."""
        self._orphans_s = self._clock()
        try:
            self._store.mark_orphans()
        except TrainingError as error:
            log.warning("%s", error)
