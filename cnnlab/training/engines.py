"""Where runs are done: an engine takes a configuration and gives events."""

import json
import logging
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import torch

from cnnlab.training.config import RunConfig
from cnnlab.training.events import ENDINGS, Cancelled, Event, Failed, from_json

# A worker that has not stopped by itself after this time is killed.
PATIENCE_S = 0.4

log = logging.getLogger(__name__)


class Engine(Protocol):
    """Runs several configurations at once, one in each slot."""

    slots: int

    def submit(self, slot: int, run: str, config: RunConfig, weights: Path) -> Iterator[Event]:
        """Do a run and give its events; the last one is an ending."""

    def cancel(self, run: str) -> None:
        """Ask a run to end soon. Unknown and ended runs are ignored."""

    def close(self) -> None:
        """Give back all processes."""


class LocalEngine:
    """Worker processes on this machine: one for every GPU, or some for the CPU."""

    def __init__(self, cpu_slots: int = 1) -> None:
        gpus = torch.cuda.device_count()
        self.devices = [f"cuda:{i}" for i in range(gpus)] or ["cpu"] * cpu_slots
        self.slots = len(self.devices)
        self._workers: list[Worker | None] = [None] * self.slots
        self._cancelled: dict[str, float] = {}
        self._closed = False
        for slot in range(self.slots):
            self._workers[slot] = Worker()

    def submit(self, slot: int, run: str, config: RunConfig, weights: Path) -> Iterator[Event]:
        device = self.devices[slot] if config.device == "auto" else config.device
        worker = self._worker(slot)
        worker.send(
            {
                "run": run,
                "config": config.model_dump() | {"device": device},
                "weights": str(weights),
            }
        )
        step, elapsed_s = 0, 0.0
        while True:
            event = worker.next_event(run, timeout_s=0.05)
            if event is not None:
                yield event
                if isinstance(event, ENDINGS):
                    self._cancelled.pop(run, None)
                    return
                step = getattr(event, "step", step)
                elapsed_s = getattr(event, "elapsed_s", elapsed_s)
            elif self._out_of_patience(run):
                worker.kill()
                self._restart(slot)
                self._cancelled.pop(run, None)
                yield Cancelled(step=step, epoch=0, elapsed_s=elapsed_s, note=KILLED)
                return
            elif not worker.alive():
                self._restart(slot)
                yield Failed(message=worker.obituary(), step=step, elapsed_s=elapsed_s)
                return

    def cancel(self, run: str) -> None:
        self._cancelled.setdefault(run, time.monotonic())
        for worker in self._workers:
            if worker is not None and worker.run == run:
                worker.send({"cancel": run})

    def close(self) -> None:
        self._closed = True
        for worker in self._workers:
            if worker is not None:
                worker.kill()

    def worker_pids(self) -> list[int]:
        """The processes, one for each slot."""
        return [worker.process.pid for worker in self._workers if worker is not None]

    def _out_of_patience(self, run: str) -> bool:
        asked_s = self._cancelled.get(run)
        return asked_s is not None and time.monotonic() - asked_s > PATIENCE_S

    def _worker(self, slot: int) -> "Worker":
        worker = self._workers[slot]
        if worker is None or not worker.alive():
            self._restart(slot)
            worker = self._workers[slot]
        assert worker is not None
        return worker

    def _restart(self, slot: int) -> None:
        self._workers[slot] = None if self._closed else Worker()


KILLED = "The run was in the middle of a long step, so its weights could not be kept."


class Worker:
    """One worker process and the thread that listens to it."""

    def __init__(self) -> None:
        self.run: str | None = None
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cnnlab.training.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=Path(__file__).parents[2],
        )
        self._events: queue.Queue[tuple[str, Event]] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._sending = threading.Lock()

    def send(self, command: dict[str, Any]) -> None:
        """Give a command; a dead worker is noticed by `alive`."""
        if "run" in command:
            self.run = command["run"]
        assert self.process.stdin is not None
        try:
            with self._sending:
                self.process.stdin.write(json.dumps(command) + "\n")
                self.process.stdin.flush()
        except (BrokenPipeError, OSError):
            log.warning("worker %s does not listen any more", self.process.pid)

    def next_event(self, run: str, timeout_s: float) -> Event | None:
        """The next event of a run; leftovers of an earlier one are dropped."""
        try:
            of, event = self._events.get(timeout=timeout_s)
        except queue.Empty:
            return None
        return event if of == run else None

    def alive(self) -> bool:
        """Whether more events can come: it runs, or has left some unread."""
        return self._listener.is_alive() or not self._events.empty()

    def kill(self) -> None:
        """End the process at once and wait for it."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def obituary(self) -> str:
        """Why the process ended, in a sentence."""
        code = self.process.wait()
        if code == -signal.SIGKILL:
            cause = "the system ended it, most often for want of memory"
            remedy = "Use a smaller batch, smaller pictures or a narrower network."
        elif code < 0:
            cause = f"it received {signal.Signals(-code).name}"
            remedy = "Start the run again."
        else:
            cause = f"it ended with code {code}"
            remedy = "The server's log has the details; start the run again."
        return f"The process that trained broke off: {cause}. {remedy} The points so far are kept."

    def _listen(self) -> None:
        assert self.process.stdout is not None
        try:
            for line in self.process.stdout:
                message = json.loads(line)
                self._events.put((message["run"], from_json(json.dumps(message["event"]))))
        except ValueError:
            # The pipe was closed under us, or the process died in the middle of a line.
            log.debug("worker %s: end of events", self.process.pid)
