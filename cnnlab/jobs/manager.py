"""Run manager: takes runs from visitors, has an engine do them, and keeps them in the store."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from cnnlab import catalog
from cnnlab.errors import TrainingError
from cnnlab.jobs.comparable import in_one_format, names_within
from cnnlab.jobs.engine import Engine
from cnnlab.jobs.following import Follower
from cnnlab.jobs.job import Job, Place, Standing
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.own_runs import OwnRuns
from cnnlab.jobs.pending_writes import PendingWrites
from cnnlab.jobs.permissions import own_group, own_run
from cnnlab.jobs.schedule import Schedule
from cnnlab.jobs.visitors import Visitors
from cnnlab.jobs.watch import Watch
from cnnlab.runs.naming import run_name
from cnnlab.runs.records import RunRecord
from cnnlab.runs.store import ACTIVE, SERVER_STOPPED, RunStore
from cnnlab.training import run_memory
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate

# Engines end their runs when they are closed; threads that do not notice are left behind.
CLOSING_S = 5.0

log = logging.getLogger(__name__)

__all__ = ["Place", "RunManager"]


class RunManager(OwnRuns):
    """Queues runs, starts them when there is room, and ends those that nobody watches."""

    def __init__(
        self,
        store: RunStore,
        engine: Engine,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(store)
        self.readers = Visitors(clock)
        self._clock = clock
        self.engine = engine
        self.settings = settings
        self._closing = threading.Event()
        self._writes = PendingWrites(store)
        self._schedule = Schedule(engine, settings.run_limit_s, clock)
        self._follower = Follower(store, engine, self._writes, self._closing)
        self._watch = Watch(
            self._schedule, engine, self.readers, settings, store, self._writes, self._cancel, clock
        )
        self._submitting = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._watcher = threading.Thread(
            target=self._watch.until, args=(self._closing,), daemon=True
        )
        self._watcher.start()

    # What a page asks for

    def submit(self, config: RunConfig, visitor: str, page: str, name: str | None = None) -> str:
        """Put a run into the queue; returns its name in the store. Readers see `name`.

        Raises: TrainingError when the run would take too much memory, the visitor has too many runs
        waiting, or the disk is full.
        """
        self._check_memory([config], grouped=False)
        with self._submitting:
            self._admit(visitor)
            run = self.store.add(config, visitor, page, name or run_name(config))
            self._schedule.add([Job(run, visitor, config)])
        self._begin()
        return run

    def submit_group(
        self,
        configs: Sequence[RunConfig],
        visitor: str,
        page: str,
        name: str | None = None,
        titles: Sequence[str] = (),
    ) -> str:
        """Put runs into the queue as one entry; returns the group's name in the store.

        All of them use one number format, so that they can be compared. `titles` say what each of
        them is, where that is not by which settings they differ.

        Raises: TrainingError for no runs or too many, when the visitor has too many entries
        waiting, or when the disk is full.
        """
        most = self.settings.runs_per_group
        if not 1 <= len(configs) <= most:
            raise TrainingError(
                f"A group has 1 to {most} runs here; {len(configs)} were given. Take fewer "
                "variants or fewer seeds."
            )
        self._check_memory(configs, grouped=True)
        configs = in_one_format(configs, self.estimate)
        name = name or catalog.NETWORKS[configs[0].network].title
        with self._submitting:
            self._admit(visitor)
            names = names_within(name, configs, titles)
            group, runs = self.store.add_group(configs, visitor, page, name, names)
            self._schedule.add(
                [
                    Job(run, visitor, config, group)
                    for run, config in zip(runs, configs, strict=True)
                ]
            )
        self._begin()
        return group

    def stop(self, run: str, visitor: str, wait_s: float = 0) -> None:
        """End one of the visitor's own runs, and wait a little until it has ended.

        Raises: TrainingError for somebody else's run.
        """
        self._stop([own_run(self.store, run, visitor)], wait_s)

    def stop_group(self, group: str, visitor: str, wait_s: float = 0) -> None:
        """End all runs of one of the visitor's own groups, and wait a little for those that go on.

        Raises: TrainingError for somebody else's group.
        """
        self._stop(own_group(self.store, group, visitor), wait_s)

    def delete(self, run: str, visitor: str) -> None:
        """Forget one of the visitor's own runs. Raises: TrainingError for somebody else's."""
        self._delete([own_run(self.store, run, visitor)])

    def delete_group(self, group: str, visitor: str) -> None:
        """Forget all runs of a group. Raises: TrainingError for somebody else's."""
        self._delete(own_group(self.store, group, visitor))

    def line(self) -> list[Standing]:
        """All runs of all visitors that go on or wait, in the order in which they are done."""
        now = self._clock()
        return [
            Standing(
                run=record,
                group=job.group,
                running_s=None if job.begun_s is None else now - job.begun_s,
            )
            for job in self._schedule.line()
            if (record := self.store.run(job.run))
        ]

    def end(self, runs: Sequence[str], reason: str) -> None:
        """End runs, whoever has started them, for a reason that their visitors are told."""
        self._cancel(runs, reason)

    def prefer(self, run: str) -> None:
        """Put a waiting run before all others."""
        self._schedule.prefer(run)

    @property
    def paused(self) -> bool:
        """Whether runs wait although there is room."""
        return self._schedule.paused

    def pause(self, paused: bool) -> None:
        """Begin no run until the pause is over; those that go on are not touched."""
        self._schedule.pause(paused)
        self._begin()

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
        """Where a run stands in the queue; None when it does not wait."""
        return self._schedule.place(run)

    def group_time_left_s(self, group: str) -> float | None:
        """Seconds until the last run of a group will have ended; None where nobody knows yet."""
        return self._schedule.time_left_s(group)

    def at_once(self, config: RunConfig) -> int:
        """How many such runs of a group go side by side where nothing else is done."""
        return self._schedule.at_once(config)

    def estimate(self, config: RunConfig) -> Estimate | None:
        """How fast such a run would be here; None as long as it is not known. Never waits."""
        try:
            self._check_memory([config], grouped=False)
        except TrainingError as error:
            return Estimate(problem=str(error))
        slots = self._schedule.slots(config)
        return next(filter(None, (self.engine.estimate(slot, config) for slot in slots)), None)

    def check(self) -> None:
        """End what should not go on; the manager does so by itself twice a second."""
        self._watch.check()

    def close(self) -> None:
        """End all processes; the runs that they had are interrupted."""
        self._closing.set()
        self._schedule.close()
        self.engine.close()
        deadline_s = time.monotonic() + CLOSING_S
        for thread in (self._watcher, *self._threads):
            # One that is about to start cannot be waited for yet.
            if thread.is_alive():
                thread.join(max(0.0, deadline_s - time.monotonic()))
        for job in self._schedule.empty():
            self._follower.end(job.run, "interrupted", SERVER_STOPPED)

    # How it is done

    def _admit(self, visitor: str) -> None:
        most = self.settings.queue_per_visitor
        if self._schedule.waiting(visitor) >= most:
            raise TrainingError(
                f"You already have {most} runs waiting. Stop one of them, or wait until the "
                "next begins."
            )
        if self._schedule.length() >= self.settings.queue_length:
            raise TrainingError(
                f"{self.settings.queue_length} runs wait already, those of all visitors together, "
                "and no more are taken. Try again when some have begun."
            )
        if self._closing.is_set():
            raise TrainingError("The server is about to stop. Start the run again later.")
        self.readers.seen(visitor)

    def _check_memory(self, configs: Sequence[RunConfig], grouped: bool) -> None:
        for config in configs:
            allowed = self.engine.allowed_bytes(config, grouped)
            if allowed is not None:
                run_memory.check(config, allowed)

    def _begin(self) -> None:
        """Start all runs for which there is room now."""
        for job in self._schedule.begin():
            thread = threading.Thread(target=self._do, args=(job,), daemon=True)
            self._threads.add(thread)
            thread.start()

    def _do(self, job: Job) -> None:
        try:
            self._follower.follow(job)
        except Exception:
            log.exception("run %s", job.run)
            self._follower.end(
                job.run, "failed", "The server could not follow the run; see its log."
            )
        finally:
            self._schedule.end(job)
            self._begin()
            self._threads.discard(threading.current_thread())

    def _stop(self, runs: Sequence[RunRecord], wait_s: float) -> None:
        going_on = self._cancel([run.id for run in runs], "")
        deadline_s = time.monotonic() + wait_s
        for job in going_on:
            job.ended.wait(max(0.0, deadline_s - time.monotonic()))
        ours = {job.run for job in going_on}
        elsewhere = [run for run in runs if run.status in ACTIVE and run.id not in ours]
        if elsewhere and self._writes.flush():
            for run in elsewhere:
                now = self.store.run(run.id)
                if now is not None and now.status in ACTIVE:
                    raise TrainingError(
                        "Another server works on this run, with the same folder "
                        f"{self.store.home}. Stop it there."
                    )

    def _cancel(self, runs: Sequence[str], reason: str) -> list[Job]:
        """Stop runs, each for the first reason given; those that go on until the engine obeys."""
        waited, going_on = self._schedule.withdraw(runs, reason)
        for job in waited:
            self._follower.end(job.run, "cancelled", reason)
        for job in going_on:
            self.engine.cancel(job.run)
        if waited:
            # What they kept from beginning may fit now.
            self._begin()
        return going_on

    def _delete(self, runs: Sequence[RunRecord]) -> None:
        if any(run.status in ACTIVE for run in runs):
            what = "This run is" if len(runs) == 1 else "Runs of this group are"
            raise TrainingError(f"{what} still going on. Stop it first, then delete it.")
        for run in runs:
            self.store.delete(run.id)
