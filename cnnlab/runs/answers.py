"""Answers of visitors to the questions of the pages: how often tried, and when right."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from cnnlab.errors import TrainingError
from cnnlab.runs.database import Database

# Brings an older file up to what this module needs.
SCRIPT = """
CREATE TABLE answers (
    visitor TEXT NOT NULL, section TEXT NOT NULL, question TEXT NOT NULL,
    tries INTEGER NOT NULL, right_s REAL,
    PRIMARY KEY (visitor, question)
);
"""
# More than there are questions, however many a file of another version had.
MOST = 500


@dataclass(frozen=True)
class Answered:
    """How a visitor stands with a question.

    Units: `right_s` seconds since 1970, when it was first answered right; None where it never was.
    """

    section: str
    question: str
    tries: int
    right_s: float | None


class Answers:
    """The answers in a store's file: one row for each visitor and question."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, visitor: str) -> Mapping[str, Answered]:
        """What a visitor has answered, by the names of the questions."""
        query = "SELECT section, question, tries, right_s FROM answers WHERE visitor = ?"
        with self._db.read() as db:
            rows = db.execute(query, (visitor,)).fetchall()
        return {row["question"]: Answered(**row) for row in rows}

    def answered(self, visitor: str, section: str, question: str, *, right: bool) -> None:
        """Note an answer. What was right once stays right.

        Raises: TrainingError where the visitor has too many answers.
        """
        right_s = time.time() if right else None
        with self._db.write() as db:
            (count,) = db.execute(
                "SELECT count(*) FROM answers WHERE visitor = ? AND question != ?",
                (visitor, question),
            ).fetchone()
            if count >= MOST:
                raise TrainingError(f"{MOST} answers are kept for one visitor, and no more.")
            db.execute(
                "INSERT INTO answers VALUES (?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET "
                "tries = tries + 1, right_s = ifnull(right_s, excluded.right_s)",
                (visitor, section, question, right_s),
            )
