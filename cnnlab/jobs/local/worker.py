"""Worker: a process that trains, `python -m cnnlab.jobs.local.worker [device [idle seconds]]`.

Commands come in and events go out as JSON lines; the log goes to standard error. The process
ends when its standard input closes, so that none is left behind when the server dies, and where
seconds are given, when nothing was asked of it for so long.

    in   {"run": "id", "config": {...}, "weights": "path", "threads": 1,
          "memory_bytes": 10}    {"cancel": "id"}
         {"estimate": "key", "config": {...}}
    out  {"run": "id", "event": {...}}    {"ready": true} once, after the warm-up
         {"alive": true} every second, also in the middle of a step
         {"estimate": "key", "answer": {...}}, with null when a run came between
"""

import ctypes
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any, TextIO

import torch

from cnnlab import allocator
from cnnlab.devices import usable_cores
from cnnlab.errors import CnnLabError
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.local.priority import step_back
from cnnlab.training import memory, run_memory
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate, estimate
from cnnlab.training.events import Cancelled, Event, Failed, can_wait
from cnnlab.training.loop import resident, train
from cnnlab.training.step_timing import Interrupted

# Points come faster than anybody can look; a few times a second they are sent together.
FLUSH_S = 0.1
ALIVE_S = 1.0
# Steps of which one takes longer are not worth an estimate, which would hold up the others.
ESTIMATE_S = 20.0
PR_SET_PDEATHSIG = 1

log = logging.getLogger(__name__)


class Commands:
    """Reads the standard input in a thread: what to run next, and what to cancel."""

    def __init__(self, lines: TextIO) -> None:
        self.waiting: queue.Queue[dict[str, Any]] = queue.Queue()
        self.cancelled: set[str] = set()
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def run_waits(self) -> bool:
        """Whether there is something more urgent than an estimate."""
        return any("run" in command for command in list(self.waiting.queue))

    def _read(self, lines: TextIO) -> None:
        try:
            for line in lines:
                command = json.loads(line)
                if "cancel" in command:
                    self.cancelled.add(command["cancel"])
                else:
                    self.waiting.put(command)
        except ValueError:
            log.warning("a command broke off in the middle of a line")
        finally:
            # The server is gone. A step may take long, so nobody is asked.
            os._exit(0)


class Reports:
    """Writes events to the server, several points in one go. Two threads may write at once."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._writing = threading.Lock()
        self._waiting: list[str] = []
        self._last_s = 0.0

    def ready(self) -> None:
        """Say that the warm-up is done."""
        self._write('{"ready": true}\n')

    def keep_saying_so(self) -> None:
        """Say every second that the process is alive; a stopped one falls silent."""
        while True:
            self._write('{"alive": true}\n')
            time.sleep(ALIVE_S)

    def answer(self, key: str, found: Estimate | None) -> None:
        """Say how long runs of a kind take."""
        text = found.model_dump_json() if found else "null"
        self._write(f'{{"estimate": {json.dumps(key)}, "answer": {text}}}\n')

    def send(self, run: str, event: Event) -> None:
        self._waiting.append(f'{{"run": {json.dumps(run)}, "event": {event.model_dump_json()}}}\n')
        if not can_wait(event) or time.monotonic() - self._last_s > FLUSH_S:
            self._write("".join(self._waiting))
            self._waiting.clear()
            self._last_s = time.monotonic()

    def _write(self, text: str) -> None:
        with self._writing:
            self._out.write(text)
            self._out.flush()


def work(commands: Commands, reports: Reports, idle_s: float | None = None) -> int:
    """Do one run after the other; returns the exit code.

    That is 0 when nothing came for `idle_s` seconds, 1 when a run left this process unusable.
    """
    usual_threads = torch.get_num_threads()
    while True:
        try:
            command = commands.waiting.get(timeout=idle_s)
        except queue.Empty:
            return 0
        torch.set_num_threads(command.get("threads") or usual_threads)
        if "estimate" in command:
            reports.answer(command["estimate"], estimated(command, commands))
            allocator.give_back()
            continue
        run = command["run"]
        try:
            for event in events(command, commands.cancelled):
                reports.send(run, event)
        except Unusable:
            return 1
        allocator.give_back()
        commands.cancelled.discard(run)


def estimated(command: dict[str, Any], commands: Commands) -> Estimate | None:
    """How long such a run takes; None where a run waits, which comes first."""
    begun_s = time.monotonic()

    def is_over() -> bool:
        return commands.run_waits() or time.monotonic() - begun_s > ESTIMATE_S

    try:
        return estimate(RunConfig(**command["config"]), is_over)
    except Interrupted:
        if commands.run_waits():
            return None
        return Estimate(
            problem=f"A few steps of this run take more than {ESTIMATE_S:g} s here, so how long "
            "all of it takes was not measured. Use a smaller batch, smaller pictures or a "
            "narrower network."
        )
    except CnnLabError as error:
        return Estimate(problem=str(error))
    except Exception as error:
        log.exception("estimate")
        return Estimate(problem=reason(error))


class Unusable(Exception):
    """The state of this process is unknown; a fresh one has to take its place."""


def events(command: dict[str, Any], cancelled: Set[str]) -> Iterator[Event]:
    """The events of one run; whatever goes wrong becomes the last of them.

    Raises: Unusable after the last event, when something went wrong that nobody foresaw.
    """
    run = command["run"]
    if run in cancelled:
        yield Cancelled(step=0, epoch=0, elapsed_s=0)
        return
    try:
        config = RunConfig(**command["config"])
        if allowed := command.get("memory_bytes"):
            run_memory.check(config, allowed)
        yield from train(
            config,
            save_to=Path(command["weights"]),
            should_stop=lambda: run in cancelled,
        )
    except CnnLabError as error:
        yield Failed(message=str(error))
    except Exception as error:
        log.exception("run %s", run)
        yield Failed(message=reason(error))
        # A GPU that met an illegal address, say, refuses everything that this process asks.
        raise Unusable from error


def reason(error: Exception) -> str:
    """What went wrong, for the reader; the log has the rest."""
    if memory.is_lacking(error):
        return f"{memory.ADVICE}."
    return (
        f"The run broke off with {type(error).__name__}. This is a mistake in the program; the "
        "server's log has the details."
    )


def protocol_out() -> TextIO:
    """The real standard output, for events alone; what libraries print goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def warm_up(device: str) -> None:
    """Load what most runs need before anybody asks; a run says it better if this fails."""
    try:
        resident("shapes", torch.device(device))
        # PyTorch prepares much in the first steps of a process.
        estimate(RunConfig.model_validate({"network": "lenet", "device": device}))
    except Exception:
        log.exception("warming up on %s", device)


def die_with_parent() -> None:
    """Linux kills this process when its parent dies, also where its input stays open."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    die_with_parent()
    step_back()
    allocator.keep_memory()
    logging.basicConfig(level=logging.INFO, format="worker %(process)d: %(message)s")
    reports = Reports(protocol_out())
    threading.Thread(target=reports.keep_saying_so, daemon=True).start()
    commands = Commands(sys.stdin)
    # One core stays free for the pages: with all of them taken, each waits for the other.
    torch.set_num_threads(Settings.from_environment().threads or max(1, usable_cores() - 1))
    warm_up(sys.argv[1] if len(sys.argv) > 1 else "cpu")
    reports.ready()
    os._exit(work(commands, reports, float(sys.argv[2]) if len(sys.argv) > 2 else None))


if __name__ == "__main__":
    main()
