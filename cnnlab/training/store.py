"""All runs and their points in one SQLite file; pages read, the manager writes."""

import json
import os
import secrets
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil

from cnnlab.errors import ConfigError, TrainingError
from cnnlab.training.config import RunConfig
from cnnlab.training.events import Evaluation, Event, Progress
from cnnlab.training.settings import home_folder

VERSION = 1
SCHEMA = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, visitor TEXT NOT NULL, page TEXT NOT NULL, name TEXT NOT NULL,
    network TEXT NOT NULL, dataset TEXT NOT NULL, config TEXT NOT NULL,
    environment TEXT NOT NULL DEFAULT '{}', owner TEXT NOT NULL,
    status TEXT NOT NULL, message TEXT NOT NULL DEFAULT '', weights TEXT,
    pinned INTEGER NOT NULL DEFAULT 0, token TEXT,
    queued_s REAL NOT NULL, started_s REAL, ended_s REAL
);
CREATE INDEX runs_by_visitor ON runs (visitor, queued_s DESC);
CREATE TABLE points (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    step INTEGER NOT NULL, epoch REAL NOT NULL, elapsed_s REAL NOT NULL,
    loss REAL, accuracy REAL, lr REAL, images_per_s REAL, eta_s REAL
);
CREATE INDEX points_by_run ON points (run);
CREATE TABLE evaluations (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    step INTEGER NOT NULL, epoch REAL NOT NULL, elapsed_s REAL NOT NULL,
    loss REAL, accuracy REAL
);
CREATE INDEX evaluations_by_run ON evaluations (run);
"""
ACTIVE = ("queued", "running")


@dataclass(frozen=True)
class RunRecord:
    """A run as the store knows it. Times are seconds since 1970."""

    id: str
    visitor: str
    page: str
    name: str
    network: str
    dataset: str
    config: RunConfig
    environment: dict[str, Any]
    status: str
    message: str
    weights: str | None
    pinned: bool
    token: str | None
    queued_s: float
    started_s: float | None
    ended_s: float | None


@dataclass
class Curve:
    """A run's points by column. Units: `seconds` since the start."""

    steps: list[int] = field(default_factory=list)
    epochs: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_steps: list[int] = field(default_factory=list)
    test_epochs: list[float] = field(default_factory=list)
    test_seconds: list[float] = field(default_factory=list)
    test_loss: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    lr: float | None = None
    images_per_s: float | None = None
    eta_s: float | None = None


class RunStore:
    """The runs in `home/runs.sqlite` and their weights in `home/weights`.

    Several processes may use one folder; each thread has a connection of its own.
    """

    def __init__(self, home: Path, notice: str = "") -> None:
        self.home = home
        self.notice = notice
        self._local = threading.local()
        self._owner = process_name(os.getpid())
        self._prepare()

    @classmethod
    def open_default(cls) -> Self:
        """The store in the user's folder, or a passing one where that cannot be written."""
        home = home_folder()
        try:
            return cls(home)
        except (OSError, sqlite3.OperationalError) as error:
            passing = Path(tempfile.mkdtemp(prefix="cnnlab-"))
            return cls(
                passing,
                f"Runs are kept only until the server stops: the folder {home} cannot be written "
                f"({getattr(error, 'strerror', None) or error}). Set CNNLAB_HOME to one that can.",
            )

    def _prepare(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        try:
            self._create_tables()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            aside = self._move_aside()
            self.notice = (
                f"The file of earlier runs was damaged. It was moved to {aside.name} in "
                f"{self.home}, and a new one was started."
            )
            self._create_tables()

    def _create_tables(self) -> None:
        with self._write() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {VERSION}")
            db.execute("SELECT count(*) FROM runs").fetchone()

    def _move_aside(self) -> Path:
        self._connection().close()
        del self._local.db
        aside = self.path.with_name(f"runs-damaged-{time.strftime('%Y%m%d-%H%M%S')}.sqlite")
        shutil.move(self.path, aside)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        return aside

    @property
    def path(self) -> Path:
        return self.home / "runs.sqlite"

    def weights_path(self, run: str) -> Path:
        """Where the weights of a run are kept."""
        return self.home / "weights" / f"{run}.safetensors"

    def _connection(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self.path, timeout=10, isolation_level=None)
            self._local.db = db
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
        return db

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        db = self._connection()
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    # Reading

    def run(self, run: str) -> RunRecord | None:
        """A run, or None where there is none of this name."""
        row = self._connection().execute("SELECT * FROM runs WHERE id = ?", (run,)).fetchone()
        return _record(row) if row else None

    def runs(self, visitor: str, *, page: str | None = None, limit: int = 200) -> list[RunRecord]:
        """A visitor's runs, the newest first."""
        rows = self._connection().execute(
            "SELECT * FROM runs WHERE visitor = ? AND (? IS NULL OR page = ?) "
            "ORDER BY queued_s DESC LIMIT ?",
            (visitor, page, page, limit),
        )
        return [record for row in rows if (record := _record(row))]

    def by_token(self, token: str) -> RunRecord | None:
        """The run that somebody shared under this secret."""
        row = self._connection().execute("SELECT * FROM runs WHERE token = ?", (token,)).fetchone()
        return _record(row) if row else None

    def curve(self, run: str) -> Curve:
        """All points of a run."""
        db = self._connection()
        points = db.execute(
            "SELECT step, epoch, elapsed_s, loss, accuracy, lr, images_per_s, eta_s "
            "FROM points WHERE run = ? ORDER BY rowid",
            (run,),
        ).fetchall()
        tests = db.execute(
            "SELECT step, epoch, elapsed_s, loss, accuracy FROM evaluations "
            "WHERE run = ? ORDER BY rowid",
            (run,),
        ).fetchall()
        curve = Curve()
        if points:
            columns = [list(column) for column in zip(*points, strict=True)]
            curve.steps, curve.epochs, curve.seconds = columns[:3]
            curve.train_loss, curve.train_accuracy = columns[3:5]
            curve.lr, curve.images_per_s, curve.eta_s = points[-1][5:]
        if tests:
            columns = [list(column) for column in zip(*tests, strict=True)]
            curve.test_steps, curve.test_epochs, curve.test_seconds = columns[:3]
            curve.test_loss, curve.test_accuracy = columns[3:]
        return curve

    # Writing

    def add(self, config: RunConfig, visitor: str, page: str, name: str) -> str:
        """Note a new run as queued; returns its name in the store."""
        run = secrets.token_hex(8)
        with self._write() as db:
            db.execute(
                "INSERT INTO runs (id, visitor, page, name, network, dataset, config, owner, "
                "status, queued_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?)",
                (
                    run,
                    visitor,
                    page,
                    name,
                    config.network,
                    config.dataset,
                    config.model_dump_json(),
                    self._owner,
                    time.time(),
                ),
            )
        return run

    def started(self, run: str, environment: dict[str, Any]) -> None:
        """Note that a run has begun, and on what."""
        with self._write() as db:
            db.execute(
                "UPDATE runs SET status = 'running', started_s = ?, environment = ? WHERE id = ?",
                (time.time(), json.dumps(environment), run),
            )

    def append(self, run: str, events: Iterable[Event]) -> None:
        """Write several points at once."""
        events = list(events)
        with self._write() as db:
            db.executemany(
                "INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        run,
                        e.step,
                        e.epoch,
                        e.elapsed_s,
                        e.train_loss,
                        e.train_accuracy,
                        e.lr,
                        e.images_per_s,
                        e.eta_s,
                    )
                    for e in events
                    if isinstance(e, Progress)
                ],
            )
            db.executemany(
                "INSERT INTO evaluations VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (run, e.step, e.epoch, e.elapsed_s, e.test_loss, e.test_accuracy)
                    for e in events
                    if isinstance(e, Evaluation)
                ],
            )

    def ended(self, run: str, status: str, message: str = "", weights: str | None = None) -> None:
        """Note how a run ended."""
        with self._write() as db:
            db.execute(
                "UPDATE runs SET status = ?, message = ?, weights = ?, ended_s = ? WHERE id = ?",
                (status, message, weights, time.time(), run),
            )

    def delete(self, run: str) -> None:
        """Forget a run, its points and its weights."""
        with self._write() as db:
            db.execute("DELETE FROM runs WHERE id = ?", (run,))
        self.weights_path(run).unlink(missing_ok=True)

    def rename(self, run: str, name: str) -> None:
        """Raises: TrainingError for an empty or overlong name."""
        name = name.strip()
        if not 1 <= len(name) <= 80:
            raise TrainingError(f"A run's name has 1 to 80 characters; {len(name)} were given.")
        with self._write() as db:
            db.execute("UPDATE runs SET name = ? WHERE id = ?", (name, run))

    def pin(self, run: str, pinned: bool) -> None:
        with self._write() as db:
            db.execute("UPDATE runs SET pinned = ? WHERE id = ?", (pinned, run))

    def share(self, run: str) -> str:
        """The secret under which anybody may look at a run; made at the first call."""
        with self._write() as db:
            db.execute(
                "UPDATE runs SET token = ? WHERE id = ? AND token IS NULL",
                (secrets.token_urlsafe(16), run),
            )
        record = self.run(run)
        if record is None or record.token is None:
            raise TrainingError("This run does not exist any more.")
        return record.token

    def mark_orphans(self) -> int:
        """Mark runs whose server is gone as interrupted; returns how many."""
        db = self._connection()
        rows = db.execute("SELECT id, owner FROM runs WHERE status IN ('queued', 'running')")
        orphans = [row["id"] for row in rows.fetchall() if not process_lives(row["owner"])]
        for run in orphans:
            self.ended(run, "interrupted", "The server was stopped during this run.")
        return len(orphans)


def process_name(pid: int) -> str:
    """A name for a process that no later process has: its number and when it was started."""
    return f"{pid}@{psutil.Process(pid).create_time():.2f}"


def process_lives(name: str) -> bool:
    """Whether the process of this name is still there."""
    try:
        return process_name(int(name.split("@")[0])) == name
    except (psutil.Error, ValueError):
        return False


def _record(row: sqlite3.Row) -> RunRecord | None:
    fields = {name: row[name] for name in row.keys() if name != "owner"}  # noqa: SIM118
    try:
        fields["config"] = RunConfig.from_json(row["config"])
    except ConfigError:
        # Written by another version of the program, which had other knobs.
        return None
    fields["environment"] = json.loads(row["environment"])
    fields["pinned"] = bool(row["pinned"])
    return RunRecord(**fields)
