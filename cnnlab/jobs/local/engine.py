"""Engine for this machine: a worker process for every GPU, and some for the CPU."""

import logging
import math
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from cnnlab import budget, devices
from cnnlab.errors import TrainingError
from cnnlab.jobs.estimate_cache import EstimateCache
from cnnlab.jobs.local.process import Worker, not_measured
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate
from cnnlab.training.events import ENDINGS, Cancelled, Event, Failed, Progress
from cnnlab.training.precision import same_speed

# A worker that has not stopped by itself after this time is killed.
PATIENCE_S = 0.4
POLL_S = 0.05
# A process that only groups need ends when none came for so long: it holds half a gigabyte.
IDLE_S = 60.0
# Measuring a few steps ends by itself long before; a process that has not answered then hangs.
ESTIMATE_S = 60.0
KILLED = "The run was in the middle of a long step, so its weights could not be kept."

log = logging.getLogger(__name__)


@dataclass
class _Job:
    worker: Worker | None = None
    cancelled_s: float | None = None
    last: Progress | None = None
    untold: bool = True
    heard_s: float = field(default_factory=time.monotonic)

    def ending_of(self, worker: Worker, step_limit_s: float) -> Event | None:
        """How the run ends if the worker is stuck or dead; None where it may go on."""
        now = time.monotonic()
        if self.cancelled_s is not None and now - self.cancelled_s > PATIENCE_S:
            # One that still warms up has not begun, and will pass the run over.
            return self.cancelled(KILLED if worker.ready else None)
        if worker.is_silent():
            return self.failed(
                "The process that trained stopped answering and was replaced. Start the run again. "
                "The points so far are kept."
            )
        if now - self.heard_s > step_limit_s:
            return self.failed(
                f"Nothing came of a step for {step_limit_s:g} s, so the run was ended. Use a "
                "smaller batch, smaller pictures or a narrower network. The points so far are kept."
            )
        return None if worker.has_more() else self.failed(worker.cause_of_death())

    def failed(self, message: str) -> Failed:
        if self.last is None:
            return Failed(message=message)
        return Failed(message=message, step=self.last.step, elapsed_s=self.last.elapsed_s)

    def cancelled(self, note: str | None) -> Cancelled:
        if self.last is None:
            return Cancelled(step=0, epoch=0, elapsed_s=0, note=note)
        return Cancelled(**self.last.model_dump(include={"step", "epoch", "elapsed_s"}), note=note)


class LocalEngine:
    """Worker processes on this machine: one for every GPU, and some for the CPU.

    The runs of a group go side by side on the CPU, one core each: as many slots as cores. The
    processes of those beyond `cpu_slots` begin with their first run and end when idle.

    Units: `step_limit_s` seconds without news after which a run is ended.
    """

    def __init__(
        self, cpu_slots: int = 1, cores: int | None = None, step_limit_s: float = math.inf
    ) -> None:
        self._cpu_slots, self._cores = cpu_slots, cores or devices.usable_cores()
        self._step_limit_s = step_limit_s
        found = [device for device in devices.available() if device.name != "cpu"]
        gpus = [device.name for device in found]
        self._gpu_bytes = {gpu.name: int((gpu.memory_gb or 0) * 1e9) for gpu in found}
        self.devices: Sequence[str] = gpus + ["cpu"] * max(self._cpu_slots, self._cores)
        self._warm_slots = len(gpus) + cpu_slots
        # All workers are started by one thread that stays: Linux ends them with it.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="worker-starter")
        self._lock = threading.Lock()
        self._workers: list[Worker | None] = [None] * len(self.devices)
        # They outlive the processes: what one died over is not tried by the next.
        self._estimates = [EstimateCache() for _ in self.devices]
        self._jobs: dict[str, _Job] = {}
        self._closed = False
        for slot in range(self._warm_slots):
            self._replace(slot, None)

    def takes(self, slot: int, config: RunConfig) -> bool:
        if config.device == "auto":
            # The fastest there is: any GPU, or the CPU of a machine without.
            return (self.devices[slot] == "cpu") == (self.devices[0] == "cpu")
        wanted = {"cuda": "cuda:0"}.get(config.device, config.device)
        # A device that is not there fits anywhere: the run then fails with a sentence.
        return wanted == self.devices[slot] or wanted not in self.devices

    def share(self, slot: int, grouped: bool) -> Fraction:
        if self.devices[slot] != "cpu":
            return Fraction(1)
        return Fraction(1, self._cores if grouped else self._cpu_slots)

    def allowed_bytes(self, config: RunConfig, grouped: bool = False) -> int | None:
        slot = next((slot for slot in range(len(self.devices)) if self.takes(slot, config)), 0)
        gpu = self._gpu_bytes.get(self.devices[slot])
        return gpu or int(budget.runs_bytes() * self.share(slot, grouped))

    def estimate(self, slot: int, config: RunConfig) -> Estimate | None:
        with self._lock:
            # The others have one thread, and would only measure it a second time.
            worker = self._workers[slot] if slot < self._warm_slots else None
            idle = not any(job.worker is worker for job in self._jobs.values())
        if worker is None:
            return None
        config, known = self._on_slot(slot, config), self._estimates[slot]
        key = same_speed(config)
        if idle and worker.ready and known.ask(key):
            worker.send({"estimate": key, "config": config.model_dump()})
        return known.get(key)

    def submit(
        self, slot: int, run: str, config: RunConfig, weights: Path, grouped: bool = False
    ) -> Iterator[Event]:
        job = _Job()
        with self._lock:
            self._jobs[run] = job
        config = self._on_slot(slot, config)
        command = {
            "run": run,
            "config": config.model_dump(),
            "weights": str(weights),
            "threads": 1 if grouped else None,
            "memory_bytes": self.allowed_bytes(config, grouped),
        }
        return self._follow(slot, run, job, command)

    def _on_slot(self, slot: int, config: RunConfig) -> RunConfig:
        return config.replace(device=self.devices[slot]) if config.device == "auto" else config

    def cancel(self, run: str) -> None:
        with self._lock:
            job = self._jobs.get(run)
            if job is None:
                return
            if job.cancelled_s is None:
                job.cancelled_s = time.monotonic()
            worker = job.worker
        if worker is not None:
            worker.send({"cancel": run})

    def check(self) -> None:
        """Replace the processes that no longer answer; those that train are followed anyway."""
        with self._lock:
            training = {id(job.worker) for job in self._jobs.values()}
            idle = [
                (slot, worker)
                for slot, worker in enumerate(self._workers)
                if worker is not None and id(worker) not in training
            ]
        for slot, worker in idle:
            estimates = self._estimates[slot]
            hangs = worker.ready and estimates.waits_s() > ESTIMATE_S
            if hangs or worker.is_silent():
                log.warning("worker %s stopped answering and is replaced", worker.process.pid)
                estimates.broke(not_measured("it stopped answering"))
                worker.kill()
                if slot < self._warm_slots:
                    self._replace(slot, worker)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            workers, self._workers = self._workers, [None] * len(self.devices)
        for worker in workers:
            if worker is not None:
                worker.kill()
        self._starter.shutdown()

    @property
    def warm(self) -> bool:
        """Whether every worker has loaded what it needs to start a run at once."""
        with self._lock:
            warm = self._workers[: self._warm_slots]
            return all(worker is not None and worker.ready for worker in warm)

    def worker_pids(self) -> list[int]:
        """The processes that there are."""
        with self._lock:
            return [worker.process.pid for worker in self._workers if worker is not None]

    def _follow(
        self, slot: int, run: str, job: _Job, command: dict[str, Any]
    ) -> Generator[Event, None, None]:
        worker, ended = None, False
        try:
            worker = self._hand_over(slot, job, command)
            while not ended:
                event = worker.next_event(run, POLL_S)
                if event is None and job.untold and not worker.has_more():
                    # It had died before it could be told; that is no fault of the run.
                    job.untold = False
                    worker = self._hand_over(slot, job, command)
                    continue
                job.untold = job.untold and event is None
                if event is not None:
                    job.heard_s = time.monotonic()
                ended = isinstance(event, ENDINGS)
                event = event or job.ending_of(worker, self._step_limit_s)
                ended = ended or (isinstance(event, Cancelled) and not worker.ready)
                if isinstance(event, Progress):
                    job.last = event
                if event is not None:
                    yield event
                if isinstance(event, ENDINGS):
                    return
        except TrainingError as error:
            yield job.failed(str(error))
        finally:
            with self._lock:
                self._jobs.pop(run, None)
            if worker is not None and not ended:
                # It is dead or stuck, or nobody follows the run any more.
                self._estimates[slot].interrupted()
                worker.kill()
                self._replace(slot, worker)

    def _hand_over(self, slot: int, job: _Job, command: dict[str, Any]) -> Worker:
        """Give the run to the slot's worker. Raises: TrainingError when there can be none."""
        worker = self._worker(slot)
        worker.send(command)
        with self._lock:
            # From here on `cancel` speaks to the worker itself.
            job.worker = worker
            cancelled = job.cancelled_s is not None
        if cancelled:
            worker.send({"cancel": command["run"]})
        return worker

    def _worker(self, slot: int) -> Worker:
        """The slot's worker, a fresh one where it has died."""
        with self._lock:
            worker = self._workers[slot]
        if worker is None or not worker.usable():
            if worker is not None:
                worker.kill()
            worker = self._replace(slot, worker)
        if worker is None:
            raise TrainingError(
                "No process for training could be started. Try again in a minute; the server's "
                "log has the reason."
            )
        return worker

    def _on_death(self, worker: Worker) -> None:
        """Replace a worker that died between two runs, where the next run is to find it warm."""
        with self._lock:
            busy = any(job.worker is worker for job in self._jobs.values())
            slot = self._workers.index(worker) if worker in self._workers else None
        # One that never got ready would die again at once; the next run tries it anew.
        if slot is None or busy or not worker.ready:
            return
        if problem := self._estimates[slot].broke(not_measured(*worker.end())):
            log.warning("worker %s: %s", worker.process.pid, problem)
        if slot < self._warm_slots:
            self._replace(slot, worker)
        else:
            with self._lock:
                if self._workers[slot] is worker:
                    self._workers[slot] = None
        worker.close_pipes()

    def _replace(self, slot: int, worker: Worker | None) -> Worker | None:
        """Start a process for the slot, so that its next run need not wait for one.

        Two threads may notice the same death: only one of them replaces the dead worker.
        """
        with self._lock:
            if self._workers[slot] is worker and not self._closed:
                self._workers[slot] = None
                try:
                    idle_s = None if slot < self._warm_slots else IDLE_S
                    device, estimates = self.devices[slot], self._estimates[slot]
                    made = self._starter.submit(Worker, device, self._on_death, estimates, idle_s)
                    self._workers[slot] = made.result()
                except OSError:
                    log.exception("no worker for %s", self.devices[slot])
            return self._workers[slot]
