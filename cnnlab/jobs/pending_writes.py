"""Queue of writes to the store, in order; what a full disk refuses is tried again."""

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable

from cnnlab.errors import TrainingError
from cnnlab.runs.store import RunStore

Write = Callable[[], object]

log = logging.getLogger(__name__)


class PendingWrites:
    """Runs go on while the store cannot be written; they are bounded, and so is this.

    A write that the store will never take is logged and left out: it must not hold up everyone's.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._notice = store.notice
        self._writes: deque[tuple[Write, Write | None]] = deque()
        self._lock = threading.Lock()

    def add(self, write: Write, instead: Write | None = None) -> None:
        """Write now if possible, else later; `instead` where the store will never take it."""
        self._writes.append((write, instead))
        self.flush()

    def flush(self) -> bool:
        """Write what waits; whether nothing is left."""
        with self._lock:
            while self._writes:
                write, instead = self._writes[0]
                try:
                    write()
                except Exception as error:
                    if is_passing(error):
                        self._wait(error)
                        return False
                    log.exception("a write that the store will never take is left out")
                    if instead is not None:
                        self._writes[0] = instead, None
                        continue
                self._writes.popleft()
            self._store.notice = self._notice
            return True

    def _wait(self, error: Exception) -> None:
        if self._store.notice == self._notice:
            log.warning("the store refuses: %s", error)
        self._store.notice = (
            f"Results wait to be written. {error} They are lost if the server stops before."
        )


def is_passing(error: Exception) -> bool:
    """Whether a write may succeed later: the disk is full, say, and not the value out of range."""
    cause = error.__cause__ if isinstance(error, TrainingError) else error
    if isinstance(cause, sqlite3.Error):
        return isinstance(cause, sqlite3.OperationalError)
    return isinstance(error, TrainingError | OSError)
