"""SQLite store of runs and their points; pages read, the manager writes."""

import atexit
import contextlib
import json
import secrets
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from cnnlab.errors import TrainingError
from cnnlab.folders import home_folder
from cnnlab.runs import (
    answers,
    groups,
    latest,
    measurements,
    points,
    predicted,
    predictions,
    records,
    weights,
)
from cnnlab.runs.database import Database
from cnnlab.runs.first_tables import FIRST_TABLES
from cnnlab.runs.latest import Latest
from cnnlab.runs.predicted import PredictedClasses
from cnnlab.runs.records import ACTIVE, Curve, RunRecord
from cnnlab.runs.server_lock import ServerLock
from cnnlab.training.config import RunConfig
from cnnlab.training.events import Event, Measurement

__all__ = ["ACTIVE", "Curve", "RunRecord", "RunStore"]

SERVER_STOPPED = "The server was stopped during this run."

# Each further script brings the tables of an existing file one version ahead.
SCRIPTS = (
    FIRST_TABLES,
    "ALTER TABLE runs ADD COLUMN figures TEXT NOT NULL DEFAULT '{}';",
    measurements.SCHEMA,
    groups.SCRIPT,
    "ALTER TABLE points DROP COLUMN lr;",
    predictions.SCRIPT,
    answers.SCRIPT,
    predicted.SCRIPT,
)


class RunStore:
    """The runs in `home/runs.sqlite` and their weights in `home/weights`.

    Several processes may use one folder, and several threads one store.
    Raises: TrainingError from every method when the file cannot be read or written.
    """

    def __init__(self, home: Path, notice: str = "") -> None:
        self.home = home
        self._server = ServerLock(home / "servers")
        try:
            self._db = Database(self.path, SCRIPTS)
        except BaseException:
            self._server.close()
            raise
        self.groups = groups.Groups(self._db)
        self.predictions = predictions.Predictions(self._db)
        self.answers = answers.Answers(self._db)
        self.weights = weights.Weights(self._db, home / "weights")
        self.notice = notice or self._db.notice

    @classmethod
    def open_default(cls) -> Self:
        """The store in the user's folder, or a passing one where that cannot be written."""
        home = home_folder()
        try:
            return cls(home)
        except (OSError, sqlite3.Error) as error:
            passing = Path(tempfile.mkdtemp(prefix="cnnlab-"))
            atexit.register(shutil.rmtree, passing, ignore_errors=True)
            return cls(
                passing,
                f"Runs are kept only until the server stops: the folder {home} cannot be used "
                f"({getattr(error, 'strerror', None) or error}). Set CNNLAB_HOME to one that can.",
            )

    def close(self) -> None:
        """Close the file; nothing can be asked of the store afterwards."""
        self._db.close()
        self._server.close()

    @property
    def path(self) -> Path:
        return self.home / "runs.sqlite"

    def weights_path(self, run: str) -> Path:
        """Where the weights of a run are kept."""
        return self.weights.path(run)

    # Reading

    def run(self, run: str) -> RunRecord | None:
        """A run, or None where there is none of this name."""
        return self._one("runs.id", run)

    def by_token(self, token: str) -> RunRecord | None:
        """The run that somebody shared under this secret."""
        return self._one("runs.token", token)

    def _one(self, column: str, key: str) -> RunRecord | None:
        with self._db.read() as db:
            row = db.execute(f"{records.SELECT} WHERE {column} = ?", (key,)).fetchone()
        return records.record(row) if row else None

    def runs(
        self,
        visitor: str,
        *,
        page: str | None = None,
        network: str | None = None,
        status: str | None = None,
        text: str | None = None,
        limit: int = 200,
        pinned_first: bool = False,
    ) -> list[RunRecord]:
        """A visitor's runs, the newest first; `text` is looked for in names and messages."""
        equal = {"visitor": visitor, "page": page, "network": network, "status": status}
        given: dict[str, Any] = {name: value for name, value in equal.items() if value is not None}
        where = " AND ".join(f"{name} = :{name}" for name in given)
        if text and text.strip():
            words = (
                "runs.name || ' ' || ifnull(groups.name, '') || ' ' || network || ' ' || dataset "
                "|| ' ' || message"
            )
            where += f" AND instr(lower({words}), :text) > 0"
            given["text"] = text.strip().lower()
        # Not by the clock, which may have been set back.
        order = "pinned DESC, number DESC" if pinned_first else "number DESC"
        query = f"{records.SELECT} WHERE {where} ORDER BY {order} LIMIT :limit"
        with self._db.read() as db:
            rows = db.execute(query, given | {"limit": limit}).fetchall()
        return [record for row in rows if (record := records.record(row))]

    def curve(self, run: str) -> Curve:
        """All points of a run."""
        with self._db.read() as db:
            return points.read(db, run)

    def measurements(
        self,
        run: str,
        kind: str | None = None,
        layer: str | None = None,
        step: int | None = None,
        *,
        of_whole: bool = False,
    ) -> list[Measurement]:
        """What probes read off a run, of one kind, layer or step where it is given.

        `of_whole` leaves those of its layers out, and reads those of the network as a whole.
        """
        with self._db.read() as db:
            return measurements.read(db, run, kind, layer, step, of_whole=of_whole)

    def last_measured(self, run: str, kind: str) -> int | None:
        """The last step at which a probe of this kind looked; None before the first."""
        with self._db.read() as db:
            return measurements.last_step(db, run, kind)

    def predicted(self, run: str) -> PredictedClasses | None:
        """What a run said of each test picture at its last evaluation; None for older runs."""
        with self._db.read() as db:
            return predicted.read(db, run)

    def latest(self, runs: Iterable[str]) -> dict[str, Latest]:
        """How each of these runs stands, by its name in the store."""
        with self._db.read() as db:
            return latest.read(db, runs)

    # Writing

    def add(self, config: RunConfig, visitor: str, page: str, name: str) -> str:
        """Note a new run as queued; returns its name in the store."""
        with self._db.write() as db:
            return records.insert(db, self._server.name, config, visitor, page, name)

    def add_group(
        self, configs: Sequence[RunConfig], visitor: str, page: str, name: str, names: Sequence[str]
    ) -> tuple[str, list[str]]:
        """Note new runs, with a name each, as one group; returns its name in the store and theirs.

        Raises: TrainingError for an empty or overlong name of the group.
        """
        group = secrets.token_hex(8)
        name = records.checked_name(name)
        with self._db.write() as db:
            db.execute("INSERT INTO groups (id, name) VALUES (?, ?)", (group, name))
            runs = [
                records.insert(db, self._server.name, config, visitor, page, own, group)
                for config, own in zip(configs, names, strict=True)
            ]
        return group, runs

    def started(self, run: str, environment: dict[str, Any]) -> None:
        """Note that a run has begun, and on what."""
        with self._db.write() as db:
            db.execute(
                "UPDATE runs SET status = 'running', started_s = ?, environment = ? "
                "WHERE id = ? AND status = 'queued'",
                (time.time(), json.dumps(environment), run),
            )

    def append(self, run: str, events: Iterable[Event]) -> None:
        """Write several points at once; those of a deleted run are dropped.

        Raises: TypeError for an event of which the store keeps nothing.
        """
        with self._db.write() as db:
            points.write(db, run, events)

    def ended(
        self,
        run: str,
        status: str,
        message: str = "",
        weights: str | None = None,
        figures: dict[str, Any] | None = None,
    ) -> None:
        """Note how a run ended; the first ending counts."""
        with self._db.write() as db:
            message = " ".join(filter(None, (message, measurements.note(db, run))))
            db.execute(
                "UPDATE runs SET status = ?, message = ?, weights = ?, figures = ?, ended_s = ? "
                "WHERE id = ? AND status IN ('queued', 'running')",
                (status, message, weights, json.dumps(figures or {}), time.time(), run),
            )
        # A worker that was killed while it saved leaves half a file, up to half a gigabyte.
        self._remove(f"{run}.*.partial")

    def delete(self, run: str) -> None:
        """Forget a run, its points and its weights."""
        with self._db.write() as db:
            db.execute("DELETE FROM runs WHERE id = ?", (run,))
        self._remove(f"{run}.*")

    def _remove(self, pattern: str) -> None:
        for file in (self.home / "weights").glob(pattern):
            with contextlib.suppress(OSError):
                file.unlink()

    def rename(self, run: str, name: str) -> None:
        """Raises: TrainingError for an empty or overlong name."""
        name = records.checked_name(name)
        with self._db.write() as db:
            db.execute("UPDATE runs SET name = ? WHERE id = ?", (name, run))

    def pin(self, run: str, pinned: bool) -> None:
        with self._db.write() as db:
            db.execute("UPDATE runs SET pinned = ? WHERE id = ?", (pinned, run))

    def share(self, run: str) -> str:
        """The secret under which anybody may look at a run; made at the first call."""
        with self._db.write() as db:
            db.execute(
                "UPDATE runs SET token = ? WHERE id = ? AND token IS NULL",
                (secrets.token_urlsafe(16), run),
            )
        record = self.run(run)
        if record is None or record.token is None:
            raise TrainingError("This run does not exist any more.")
        return record.token

    def withdraw(self, run: str) -> None:
        """End a run's link: its secret opens nothing any more, and the next one is another."""
        with self._db.write() as db:
            db.execute("UPDATE runs SET token = NULL WHERE id = ?", (run,))

    def mark_orphans(self) -> int:
        """Mark runs whose server is gone as interrupted; returns how many."""
        with self._db.read() as db:
            rows = db.execute(
                "SELECT id, owner FROM runs WHERE status IN ('queued', 'running')"
            ).fetchall()
        gone = {owner for owner in {row["owner"] for row in rows} if not self._lives(owner)}
        orphans = [row["id"] for row in rows if row["owner"] in gone]
        for run in orphans:
            self.ended(run, "interrupted", SERVER_STOPPED)
        return len(orphans)

    def _lives(self, owner: str) -> bool:
        try:
            return self._server.lives(owner)
        except OSError:
            return True  # nobody can tell; a later look may
