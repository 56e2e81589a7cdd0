"""SQLite file of a store: checked when it is opened, read and written by many threads."""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from cnnlab.errors import TrainingError
from cnnlab.runs.file_systems import network_kind

# Marks the file as ours ("CNNL"), so that another program's is never written to.
APPLICATION = 0x434E4E4C
BUSY_S = 10.0

log = logging.getLogger(__name__)


class Database:
    """One connection that reads and one that writes, each used by one thread at a time.

    Readers do not wait for writers (WAL), and other processes may use the file as well. WAL shares
    memory between them, which a network folder cannot: there a slower journal is used instead.
    `scripts`: the first makes the tables, each further one brings them one version ahead.
    Raises: sqlite3.Error or OSError when the file cannot be opened; afterwards TrainingError.
    """

    def __init__(self, path: Path, scripts: Sequence[str]) -> None:
        self.path = path
        self.notice = ""
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two servers that start together must not both create, or both move a file aside.
        with FileLock(path.with_suffix(".lock"), timeout=BUSY_S):
            if problem := _problem(path, scripts):
                aside = _move_aside(path)
                self.notice = (
                    f"The file of earlier runs {problem}. It was moved to {aside.name} in "
                    f"{path.parent}, and a new one was started."
                )
                _problem(path, scripts)
            network = network_kind(path.parent)
            self._writer, self._reader = _connect(path, network), _connect(path, network)
        self._say_if_slow(network)
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

    def _say_if_slow(self, network: str | None) -> None:
        if journal_of(self._writer) == WAL:
            return
        where = f"comes over a network ({network})" if network else "does not share memory"
        slow = (
            f"The folder of the runs, {self.path.parent}, {where}, so they are written with a "
            "slower journal, and two machines must not use it at once. Set CNNLAB_HOME to a folder "
            "on a disk of this machine."
        )
        log.warning("%s", slow)
        self.notice = " ".join(filter(None, (self.notice, slow)))

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


WAL, ROLLBACK = "wal", "delete"


def journal_of(db: sqlite3.Connection) -> str:
    """Which journal a connection writes."""
    return str(db.execute("PRAGMA journal_mode").fetchone()[0])


def _connect(path: Path, network: str | None) -> sqlite3.Connection:
    # The locks of Database see to it that no two threads use a connection at once.
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA foreign_keys = ON")
        # Where it cannot have the journal that was asked for, SQLite stays with the one it has.
        db.execute(f"PRAGMA journal_mode = {ROLLBACK if network else WAL}")
        # Of a rollback journal only FULL outlives a loss of power.
        db.execute(f"PRAGMA synchronous = {'NORMAL' if journal_of(db) == WAL else 'FULL'}")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _problem(path: Path, scripts: Sequence[str]) -> str | None:
    """Create or upgrade the tables; what is wrong with a file that cannot be used.

    Raises: sqlite3.OperationalError for the file of a later version, which stays where it is:
    the server that wrote it may still be using it.
    """
    # Not yet in WAL mode: that would write to the file before it is known to be ours.
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application != APPLICATION and (application or version or tables):
            return "belongs to another program"
        (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            return "was damaged"
        if version > len(scripts):
            raise sqlite3.OperationalError("a later version of CNN Lab wrote the runs there")
        if version < len(scripts):
            marks = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {len(scripts)};"
            db.executescript(f"BEGIN IMMEDIATE; {' '.join(scripts[version:])} {marks} COMMIT;")
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) not in DAMAGED:
            raise
        return "was damaged"
    finally:
        db.close()
    return None


DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _move_aside(path: Path) -> Path:
    """Keep the file and its journal under another name: what is in them may still be of use."""
    aside = path.with_name(f"runs-aside-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 10**6}")
    for suffix in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(f"{aside}.sqlite{suffix}")
    return aside.with_name(aside.name + ".sqlite")
