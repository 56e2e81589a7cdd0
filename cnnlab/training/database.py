"""The SQLite file of a store: opened with suspicion, then read and written by many threads."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from cnnlab.errors import TrainingError

# Marks the file as ours ("CNNL"), so that another program's is never written to.
APPLICATION = 0x434E4E4C
VERSION = 1
BUSY_S = 10.0


class Database:
    """One connection that reads and one that writes, each used by one thread at a time.

    Readers do not wait for writers (WAL), and other processes may use the file as well.
    Raises: sqlite3.Error or OSError when the file cannot be opened; afterwards TrainingError.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self.path = path
        self.notice = ""
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two servers that start together must not both create, or both move a file aside.
        with FileLock(path.with_suffix(".lock"), timeout=BUSY_S):
            if problem := _problem(path, schema):
                aside = _move_aside(path)
                self.notice = (
                    f"The file of earlier runs {problem}. It was moved to {aside.name} in "
                    f"{path.parent}, and a new one was started."
                )
                _problem(path, schema)
            self._writer, self._reader = _connect(path), _connect(path)
        self._writing, self._reading = threading.Lock(), threading.Lock()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection for one query; rows must be fetched before the block ends."""
        with self._reading, self._explained("read"):
            yield self._reader

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is written, or nothing."""
        with self._writing, self._explained("written"):
            db = self._writer
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            finally:
                # Also when COMMIT itself found the disk full: an open transaction would
                # refuse all later ones. A rollback that fails too adds nothing to the reason.
                with contextlib.suppress(sqlite3.Error):
                    if db.in_transaction:
                        db.execute("ROLLBACK")

    def close(self) -> None:
        with self._writing, self._reading:
            self._writer.close()
            self._reader.close()

    @contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise TrainingError(
                f"The file of runs in {self.path.parent} could not be {verb} ({error}). "
                "Free some space there, or ask whoever runs this server."
            ) from error


def _connect(path: Path) -> sqlite3.Connection:
    # The locks of Database see to it that no two threads use a connection at once.
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _problem(path: Path, schema: str) -> str | None:
    """Create the tables in an empty file; what is wrong with a file that cannot be used."""
    # Not yet in WAL mode: that would write to the file before it is known to be ours.
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        marks = [db.execute(f"PRAGMA {mark}").fetchone()[0] for mark in MARKS]
        if marks == list(MARKS.values()):
            (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
            return None if answer == "ok" else "was damaged"
        if any(marks) or db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return "belongs to another program or to another version of this one"
        marking = "".join(f"PRAGMA {mark} = {value};" for mark, value in MARKS.items())
        db.executescript(f"BEGIN IMMEDIATE; {schema} {marking} COMMIT;")
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) not in DAMAGED:
            raise
        return "was damaged"
    finally:
        db.close()
    return None


MARKS = {"application_id": APPLICATION, "user_version": VERSION}
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _move_aside(path: Path) -> Path:
    """Keep the file and its journal under another name: somebody may still rescue them."""
    aside = path.with_name(f"runs-aside-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 10**6}")
    for suffix in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(f"{aside}.sqlite{suffix}")
    return aside.with_name(aside.name + ".sqlite")
