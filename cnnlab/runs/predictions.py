"""Predictions of visitors: what each said of an experiment before it was run, and its runs."""

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass

from cnnlab.errors import TrainingError
from cnnlab.runs.database import Database

# Brings an older file up to what this module needs.
SCRIPT = """
CREATE TABLE predictions (
    visitor TEXT NOT NULL, experiment TEXT NOT NULL, answer TEXT NOT NULL,
    predicted_s REAL NOT NULL, group_id TEXT,
    PRIMARY KEY (visitor, experiment)
);
"""
# More than there are experiments, however many a file of another version had.
MOST = 500


@dataclass(frozen=True)
class Prediction:
    """A visitor's answer to an experiment, and the group of its runs where it was started.

    Units: `predicted_s` seconds since 1970.
    """

    experiment: str
    answer: str
    predicted_s: float
    group_id: str | None = None


class Predictions:
    """The predictions in a store's file: one for each visitor and experiment."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, visitor: str) -> Mapping[str, Prediction]:
        """All predictions of a visitor, by the names of the experiments."""
        query = (
            "SELECT experiment, answer, predicted_s, group_id FROM predictions WHERE visitor = ? "
            "ORDER BY predicted_s"
        )
        with self._db.read() as db:
            rows = db.execute(query, (visitor,)).fetchall()
        return {row["experiment"]: Prediction(**row) for row in rows}

    def predict(self, visitor: str, experiment: str, answer: str) -> None:
        """Keep an answer. It can be changed until the experiment is run.

        Raises: TrainingError where it was run already, or the visitor has too many answers.
        """
        with self._db.write() as db:
            if _found(db, visitor, experiment, "AND group_id IS NOT NULL"):
                raise TrainingError(
                    "This experiment was run already: a prediction is made before. Start it over "
                    "to predict again."
                )
            (count,) = db.execute(
                "SELECT count(*) FROM predictions WHERE visitor = ? AND experiment != ?",
                (visitor, experiment),
            ).fetchone()
            if count >= MOST:
                raise TrainingError(f"{MOST} predictions are kept for one visitor, and no more.")
            db.execute(
                "INSERT OR REPLACE INTO predictions VALUES (?, ?, ?, ?, NULL)",
                (visitor, experiment, answer, time.time()),
            )

    def begun(self, visitor: str, experiment: str, group: str) -> None:
        """Note that the runs of a predicted experiment are those of this group.

        Raises: TrainingError where nothing was predicted.
        """
        with self._db.write() as db:
            if not _found(db, visitor, experiment):
                raise TrainingError("Predict first what will come out, then run the experiment.")
            db.execute(
                "UPDATE predictions SET group_id = ? WHERE visitor = ? AND experiment = ?",
                (group, visitor, experiment),
            )

    def forget(self, visitor: str, experiment: str) -> None:
        """Start an experiment over: what was predicted is gone, its runs stay."""
        with self._db.write() as db:
            db.execute(
                "DELETE FROM predictions WHERE visitor = ? AND experiment = ?",
                (visitor, experiment),
            )


def _found(db: sqlite3.Connection, visitor: str, experiment: str, more: str = "") -> bool:
    query = f"SELECT 1 FROM predictions WHERE visitor = ? AND experiment = ? {more}"
    return db.execute(query, (visitor, experiment)).fetchone() is not None
