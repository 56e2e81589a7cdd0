"""Measurements of runs in the store: one table for all kinds, bounded for each run."""

import json
import sqlite3
from collections.abc import Iterable

from cnnlab.training.events import Measurement

# What the measurements of one run may fill.
LIMIT_BYTES = 20 * 10**6

SCHEMA = """
CREATE TABLE measurements (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    step INTEGER NOT NULL, epoch REAL NOT NULL, elapsed_s REAL NOT NULL,
    kind TEXT NOT NULL, layer TEXT, content TEXT NOT NULL
);
CREATE INDEX measurements_by_run ON measurements (run, kind, layer);
ALTER TABLE runs ADD COLUMN measured_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN unkept_from INTEGER;
"""


def write(db: sqlite3.Connection, run: str, measurements: Iterable[Measurement]) -> None:
    """Add measurements of a run as long as there is room.

    From the first that finds none, none is added: what is kept has no gaps.
    """
    size, full_at = db.execute(
        "SELECT measured_bytes, unkept_from FROM runs WHERE id = ?", (run,)
    ).fetchone()
    for m in measurements:
        if full_at is not None:
            break
        # The values alone, as the event writes them: numbers that are none stay what they are.
        content = json.dumps(m.model_dump()["values"], separators=(",", ":"))
        if size + len(content) > LIMIT_BYTES:
            full_at = m.step
            break
        size += len(content)
        row = (run, m.step, m.epoch, m.elapsed_s, m.kind, m.layer, content)
        db.execute("INSERT INTO measurements VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    db.execute(
        "UPDATE runs SET measured_bytes = ?, unkept_from = ? WHERE id = ?", (size, full_at, run)
    )


def read(
    db: sqlite3.Connection,
    run: str,
    kind: str | None = None,
    layer: str | None = None,
    step: int | None = None,
    *,
    of_whole: bool = False,
) -> list[Measurement]:
    """The measurements of a run in the order in which they were made.

    `of_whole` leaves those of its layers out, and reads those of the network as a whole.
    """
    equal = {"run": run, "kind": kind, "layer": layer, "step": step}
    given = {name: value for name, value in equal.items() if value is not None}
    where = " AND ".join(f"{name} = :{name}" for name in given)
    where += " AND layer IS NULL" if of_whole else ""
    rows = db.execute(
        "SELECT step, epoch, elapsed_s, kind, layer, content AS 'values' FROM measurements "
        f"WHERE {where} ORDER BY rowid",
        given,
    ).fetchall()
    return [Measurement(**{**dict(row), "values": json.loads(row["values"])}) for row in rows]


def last_step(db: sqlite3.Connection, run: str, kind: str) -> int | None:
    """The last step at which such a probe looked; None before the first."""
    query = "SELECT max(step) FROM measurements WHERE run = ? AND kind = ?"
    step: int | None = db.execute(query, (run, kind)).fetchone()[0]
    return step


def note(db: sqlite3.Connection, run: str) -> str:
    """What a reader must know of a run whose measurements were too many; empty for others."""
    row = db.execute("SELECT unkept_from FROM runs WHERE id = ?", (run,)).fetchone()
    if row is None or row["unkept_from"] is None:
        return ""
    return (
        f"What was observed from step {row['unkept_from']:,} on is not kept: a run may fill "
        f"{LIMIT_BYTES // 10**6} MB with it. Observe fewer steps, or fewer kinds."
    )
