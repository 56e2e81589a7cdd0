"""Queue of writes to the store, in order; what a full disk refuses is tried again."""

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable

from cnnlab.errors import TrainingError
from cnnlab.runs.store import RunStore

log = logging.getLogger(__name__)


class PendingWrites:
    """Runs go on while the store cannot be written; they are bounded, and so is this."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._notice = store.notice
        self._writes: deque[Callable[[], object]] = deque()
        self._lock = threading.Lock()

    def add(self, write: Callable[[], object]) -> None:
        """Write now if possible, else later."""
        self._writes.append(write)
        self.flush()

    def flush(self) -> bool:
        """Write what waits; whether nothing is left."""
        with self._lock:
            while self._writes:
                try:
                    self._writes[0]()
                except (TrainingError, sqlite3.Error, OSError) as error:
                    if self._store.notice == self._notice:
                        log.warning("the store refuses: %s", error)
                    self._store.notice = (
                        f"Results wait to be written. {error} They are lost if the server stops "
                        "before."
                    )
                    return False
                self._writes.popleft()
            self._store.notice = self._notice
            return True
