"""Worker process as its server handles it, with the thread that reads its output."""

import contextlib
import json
import logging
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from cnnlab.folders import library_on_path
from cnnlab.jobs.estimate_cache import EstimateCache
from cnnlab.training.estimate import Estimate
from cnnlab.training.events import Event, from_json

# A process that has closed its output is at its end; longer than this it does not take.
EXIT_S = 2.0
# Commands that a process has not read yet: a run, a few estimates, and stops.
UNREAD = 64
# Events that nobody has taken yet; a process that has more to tell waits with them.
UNTAKEN = 10_000
# The longest message is what a probe saw of many samples, a few megabytes.
LINE_CHARACTERS = 1 << 25
# A process says every second that it is there. A fresh one first loads PyTorch, which may take long
# beside other work.
SILENT_S, STARTING_S = 30.0, 180.0

log = logging.getLogger(__name__)


class Worker:
    """One worker process; `ready` when its warm-up is done, `on_death` is told when it ended.

    It ends by itself when it was idle for `idle_s` seconds, where given. What it measures goes to
    `estimates`, which outlive it.
    Linux kills the process when the thread that made it ends: make it in one that stays.
    Raises: OSError when the system cannot start it.
    """

    def __init__(
        self,
        device: str,
        on_death: Callable[["Worker"], None],
        estimates: EstimateCache,
        idle_s: float | None = None,
    ) -> None:
        self.ready = False
        self._estimates = estimates
        self._on_death = on_death
        self._heard_s = time.monotonic()
        self._spoke = False
        arguments = [] if idle_s is None else [f"{idle_s:g}"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cnnlab.jobs.local.worker", device, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            # What is no text is no message either.
            errors="backslashreplace",
            env=library_on_path(),
            # Ctrl-C is for the server, which then ends its workers. A session of its own would do
            # as much, and Linux shares the cores among sessions before it heeds a priority.
            process_group=0,
        )
        self._events: queue.Queue[tuple[str, Event]] = queue.Queue(UNTAKEN)
        self._unwanted = threading.Event()
        self._garbled = False
        self._commands: queue.Queue[str | None] = queue.Queue(UNREAD)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        threading.Thread(target=self._speak, daemon=True).start()

    def send(self, command: dict[str, Any]) -> None:
        """Give a command, without waiting until it is read.

        One that reads no more is noticed by `is_silent`, and a dead one by `has_more`.
        """
        try:
            self._commands.put_nowait(json.dumps(command))
        except queue.Full:
            log.warning("worker %s has not read its last %d commands", self.process.pid, UNREAD)

    def is_silent(self) -> bool:
        """Whether it has given no sign of life for so long that it never will."""
        patience_s = SILENT_S if self._spoke else STARTING_S
        return time.monotonic() - self._heard_s > patience_s

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
        self._unwanted.set()
        self.process.kill()
        # One that waits for a disk ends when the disk answers.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(EXIT_S)
        self._listener.join(EXIT_S)
        self.close_pipes()

    def close_pipes(self) -> None:
        """Give back what a dead process leaves behind."""
        with contextlib.suppress(queue.Full):
            self._commands.put_nowait(None)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                # What it never read is flushed by closing, and nobody is there to take it.
                with contextlib.suppress(OSError):
                    pipe.close()

    def cause_of_death(self) -> str:
        """Why the process ended, in a sentence about the run that it did."""
        cause, remedy = self.end()
        return f"The process that trained broke off: {cause}. {remedy} The points so far are kept."

    def end(self) -> tuple[str, str]:
        """Why the process ended, and what can be done."""
        if self._garbled:
            return (
                "what it wrote was no message, so it was ended",
                "Start the run again; the server's log has what it wrote.",
            )
        try:
            return _cause(self.process.wait(EXIT_S))
        except subprocess.TimeoutExpired:
            return "it stopped answering", "Start the run again."

    def _speak(self) -> None:
        """Write the commands; a process that is stopped holds up this thread and no other."""
        assert self.process.stdin is not None
        try:
            while (command := self._commands.get()) is not None:
                self.process.stdin.write(command + "\n")
                self.process.stdin.flush()
        except (OSError, ValueError):
            # Dead, or killed and its pipes closed since.
            log.warning("worker %s does not listen any more", self.process.pid)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        line = ""
        try:
            while line := self.process.stdout.readline(LINE_CHARACTERS):
                self._hear(json.loads(line))
        except Exception:
            # Whatever it was: it would end this thread, and nobody would hear the process again.
            log.warning("worker %s: its events end in %r", self.process.pid, line[:80])
            # Without its line's end it died in the middle of it. One that lives is not to be
            # trusted any more, and would wait for ever for somebody to read on.
            if line.endswith("\n") or len(line) >= LINE_CHARACTERS:
                self._garbled = True
                self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(EXIT_S)
            self._on_death(self)

    def _hear(self, message: object) -> None:
        """Take a message in. Raises: some Exception for what is none."""
        if not isinstance(message, dict):
            raise TypeError
        self._heard_s, self._spoke = time.monotonic(), True
        if "alive" in message:
            return
        if "ready" in message:
            self.ready = True
            return
        if "estimate" in message:
            answer = message["answer"]
            found = None if answer is None else Estimate.model_validate(answer)
            self._estimates.note(message["estimate"], found)
            return
        said = message["run"], from_json(json.dumps(message["event"]))
        # Its pipe fills up while nobody takes what it said, and then it waits.
        while not self._unwanted.is_set():
            with contextlib.suppress(queue.Full):
                self._events.put(said, timeout=1.0)
                return


def not_measured(cause: str, remedy: str = "The run itself may still work.") -> str:
    """Why the time of a run is not known, after the process that measured it ended."""
    return f"The process that timed a few steps of this run ended: {cause}. {remedy}"


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
