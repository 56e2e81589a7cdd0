"""Worker process as its server handles it, with the thread that reads its output."""

import contextlib
import json
import logging
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from cnnlab.folders import library_on_path
from cnnlab.jobs.estimate_cache import EstimateCache
from cnnlab.training.estimate import Estimate
from cnnlab.training.events import Event, from_json

# A process that has closed its output is at its end; longer than this it does not take.
EXIT_S = 2.0

log = logging.getLogger(__name__)


class Worker:
    """One worker process; `ready` when its warm-up is done, `on_death` is told when it ended.

    It ends by itself when it was idle for `idle_s` seconds, where given.
    Linux kills the process when the thread that made it ends: make it in one that stays.
    Raises: OSError when the system cannot start it.
    """

    def __init__(
        self, device: str, on_death: Callable[["Worker"], None], idle_s: float | None = None
    ) -> None:
        self.ready = False
        self._estimates = EstimateCache()
        self._on_death = on_death
        arguments = [] if idle_s is None else [f"{idle_s:g}"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cnnlab.jobs.local.worker", device, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=library_on_path(),
            # Ctrl-C is for the server, which then ends its workers.
            start_new_session=True,
        )
        self._events: queue.Queue[tuple[str, Event]] = queue.Queue()
        self._sending = threading.Lock()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def send(self, command: dict[str, Any]) -> None:
        """Give a command; a dead worker is noticed by `has_more`."""
        assert self.process.stdin is not None
        try:
            with self._sending:
                self.process.stdin.write(json.dumps(command) + "\n")
                self.process.stdin.flush()
        except (OSError, ValueError):
            # Dead, or killed and its pipes closed since.
            log.warning("worker %s does not listen any more", self.process.pid)

    def estimate(self, key: str, config: dict[str, Any], ask: bool) -> Estimate | None:
        """What is known of runs of a kind; with `ask`, it is measured where that is due."""
        if ask and self._estimates.ask(key):
            self.send({"estimate": key, "config": config})
        return self._estimates.get(key)

    def next_event(self, run: str, timeout_s: float) -> Event | None:
        """The next event of a run; leftovers of an earlier one are dropped."""
        try:
            of, event = self._events.get(timeout=timeout_s)
        except queue.Empty:
            return None
        return event if of == run else None

    def usable(self) -> bool:
        """Whether a run can be given to it."""
        return self.process.poll() is None and self._listener.is_alive()

    def has_more(self) -> bool:
        """Whether more events can come: it still writes, or has left some unread."""
        return self._listener.is_alive() or not self._events.empty()

    def kill(self) -> None:
        """End the process at once and wait for it; a second time does nothing."""
        self.process.kill()
        self.process.wait()
        self._listener.join(EXIT_S)
        self.close_pipes()

    def close_pipes(self) -> None:
        """Give back what a dead process leaves behind."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                # What it never read is flushed by closing, and nobody is there to take it.
                with contextlib.suppress(OSError):
                    pipe.close()

    def cause_of_death(self) -> str:
        """Why the process ended, in a sentence."""
        try:
            code = self.process.wait(EXIT_S)
        except subprocess.TimeoutExpired:
            cause, remedy = "it stopped answering", "Start the run again."
        else:
            cause, remedy = _cause(code)
        return f"The process that trained broke off: {cause}. {remedy} The points so far are kept."

    def _listen(self) -> None:
        assert self.process.stdout is not None
        try:
            for line in self.process.stdout:
                message = json.loads(line)
                if "ready" in message:
                    self.ready = True
                    continue
                if "estimate" in message:
                    answer = message["answer"]
                    self._estimates.note(message["estimate"], answer and Estimate(**answer))
                    continue
                self._events.put((message["run"], from_json(json.dumps(message["event"]))))
        except (ValueError, KeyError, TypeError):
            # It died in the middle of a line, or something else wrote to the pipe.
            log.warning("worker %s: its events end in %r", self.process.pid, line[:80])
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(EXIT_S)
            self._on_death(self)


IN_WORDS = {
    "SIGSEGV": "a library used memory that was not its own",
    "SIGBUS": "memory or disk was full",
    "SIGABRT": "a library gave up",
    "SIGILL": "this processor does not know one of its instructions",
    "SIGTERM": "somebody asked it to end",
}


def _cause(code: int) -> tuple[str, str]:
    if code == -signal.SIGKILL:
        return (
            "the system ended it, most often for want of memory",
            "Use a smaller batch, smaller pictures or a narrower network.",
        )
    if code < 0:
        name = signal.Signals(-code).name
        return IN_WORDS.get(name, f"it received {name}"), "Start the run again."
    return (
        f"it ended with code {code}",
        "The server's log has the details; start the run again.",
    )
