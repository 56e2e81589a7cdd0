"""Latest state of runs: status and last points, read for many runs at once."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

# The index on `run` gives the last row of each run without reading the others.
QUERY = """
SELECT runs.id, runs.status, test.accuracy AS test_accuracy,
    max(ifnull(point.epoch, 0.0), ifnull(test.epoch, 0.0)) AS epochs,
    nullif(max(ifnull(point.elapsed_s, 0.0), ifnull(test.elapsed_s, 0.0)), 0.0) AS seconds
FROM json_each(?) AS wanted JOIN runs ON runs.id = wanted.value
LEFT JOIN points AS point ON point.rowid =
    (SELECT rowid FROM points WHERE run = runs.id ORDER BY rowid DESC LIMIT 1)
LEFT JOIN evaluations AS test ON test.rowid =
    (SELECT rowid FROM evaluations WHERE run = runs.id ORDER BY rowid DESC LIMIT 1)
"""


@dataclass(frozen=True)
class Latest:
    """A run's state, its last test accuracy, the epochs done and the seconds that they took.

    `test_accuracy` and `seconds` are None as long as there are none.
    """

    status: str
    test_accuracy: float | None = None
    epochs: float = 0.0
    seconds: float | None = None


def read(db: sqlite3.Connection, runs: Iterable[str]) -> dict[str, Latest]:
    """How each of these runs stands, by id, in at most one query; those unknown are left out."""
    wanted = [*runs]
    if not wanted:
        return {}
    rows = db.execute(QUERY, (json.dumps(wanted),)).fetchall()
    return {row["id"]: Latest(**{key: row[key] for key in row.keys()[1:]}) for row in rows}
