"""Points of runs in the store: each event goes to the table of its kind."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from cnnlab.runs import measurements, predicted, records
from cnnlab.training.events import Evaluation, Event, Measurement, Predicted, Progress


def write(db: sqlite3.Connection, run: str, events: Iterable[Event]) -> None:
    """Write several events of a run at once; those of a deleted run are dropped.

    Raises: TypeError for an event of which the store keeps nothing.
    """
    points: list[tuple[Any, ...]] = []
    tests: list[tuple[Any, ...]] = []
    measured: list[Measurement] = []
    said: Predicted | None = None
    for e in events:
        if isinstance(e, Progress):
            place = run, e.step, e.epoch, e.elapsed_s
            speed = e.images_per_s, e.eta_s
            points.append((*place, e.train_loss, e.train_accuracy, *speed))
        elif isinstance(e, Evaluation):
            tests.append((run, e.step, e.epoch, e.elapsed_s, e.test_loss, e.test_accuracy))
        elif isinstance(e, Measurement):
            measured.append(e)
        elif isinstance(e, Predicted):
            said = e
        else:
            raise TypeError(f"the store keeps no points of the type {e.type!r}")
    if not db.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone():
        return
    db.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?, ?)", points)
    db.executemany("INSERT INTO evaluations VALUES (?, ?, ?, ?, ?, ?)", tests)
    measurements.write(db, run, measured)
    if said is not None:
        predicted.write(db, run, said)


def read(db: sqlite3.Connection, run: str) -> records.Curve:
    """All points of a run."""
    training = db.execute(
        "SELECT step, epoch, elapsed_s, loss, accuracy, images_per_s, eta_s "
        "FROM points WHERE run = ? ORDER BY rowid",
        (run,),
    ).fetchall()
    tests = db.execute(
        "SELECT step, epoch, elapsed_s, loss, accuracy FROM evaluations "
        "WHERE run = ? ORDER BY rowid",
        (run,),
    ).fetchall()
    return records.curve(training, tests)
