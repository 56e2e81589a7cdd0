"""Predicted classes in the store: what a run said of each test picture at its last evaluation."""

import sqlite3
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.training.events import Predicted

# Brings an older file up to what this module needs.
SCRIPT = """
CREATE TABLE predicted (
    run TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    step INTEGER NOT NULL, classes BLOB NOT NULL, confidence BLOB NOT NULL
);
"""


@dataclass(frozen=True)
class PredictedClasses:
    """What a network said of the test pictures after a step, in the order of the data set.

    `confidence` is the share that it gave to the class it named.

    Shape: both (N,).
    """

    step: int
    classes: NDArray[np.int64]
    confidence: NDArray[np.float64]


def write(db: sqlite3.Connection, run: str, found: Predicted) -> None:
    """Keep what was said last, in place of what was said before."""
    row = (run, found.step, found.classes, found.confidence)
    db.execute("INSERT OR REPLACE INTO predicted VALUES (?, ?, ?, ?)", row)


def read(db: sqlite3.Connection, run: str) -> PredictedClasses | None:
    """What a run said; None where nothing was kept of it."""
    query = "SELECT step, classes, confidence FROM predicted WHERE run = ?"
    row = db.execute(query, (run,)).fetchone()
    return unpacked(*row) if row else None


def unpacked(step: int, classes: bytes, confidence: bytes) -> PredictedClasses:
    """The numbers in the bytes of an event."""
    return PredictedClasses(
        step,
        np.frombuffer(classes, "<u2").astype(np.int64),
        np.frombuffer(confidence, np.uint8) / 255,
    )
