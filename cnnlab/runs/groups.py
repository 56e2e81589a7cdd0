"""Groups of runs: the name that they share, and the secret under which all of them are shared."""

import secrets

from cnnlab.errors import TrainingError
from cnnlab.runs import records
from cnnlab.runs.database import Database
from cnnlab.runs.records import RunRecord

# Brings an older file up to what this module and the records need.
SCRIPT = """
CREATE TABLE groups (id TEXT PRIMARY KEY, name TEXT NOT NULL, token TEXT);
ALTER TABLE runs ADD COLUMN group_id TEXT REFERENCES groups (id);
CREATE INDEX runs_by_group ON runs (group_id) WHERE group_id IS NOT NULL;
CREATE TRIGGER empty_groups AFTER DELETE ON runs WHEN old.group_id IS NOT NULL BEGIN
    DELETE FROM groups WHERE id = old.group_id
        AND NOT EXISTS (SELECT 1 FROM runs WHERE group_id = old.group_id);
END;
"""


def name_within(group: str, apart: str) -> str:
    """The name of a run: its group's, cut where it is too long, and what sets the run apart."""
    room = max(1, records.LONGEST_NAME - len(apart) - 2)
    return f"{group[:room]}, {apart}"[: records.LONGEST_NAME]


class Groups:
    """The groups in a store's file; a group goes with the last of its runs."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def runs(self, group: str) -> list[RunRecord]:
        """The runs of a group, in the order in which they were asked for."""
        query = f"{records.SELECT} WHERE runs.group_id = ? ORDER BY runs.rowid"
        with self._db.read() as db:
            rows = db.execute(query, (group,)).fetchall()
        return [record for row in rows if (record := records.record(row))]

    def by_token(self, token: str) -> list[RunRecord]:
        """The runs of the group that somebody shared under this secret."""
        with self._db.read() as db:
            row = db.execute("SELECT id FROM groups WHERE token = ?", (token,)).fetchone()
        return self.runs(row["id"]) if row else []

    def rename(self, group: str, name: str) -> None:
        """Rename a group, and those of its runs that begin with its name.

        Raises: TrainingError for an empty or overlong name.
        """
        name = records.checked_name(name)
        with self._db.write() as db:
            row = db.execute("SELECT name FROM groups WHERE id = ?", (group,)).fetchone()
            if row is None:
                return
            db.execute("UPDATE groups SET name = ? WHERE id = ?", (name, group))
            for run, old in db.execute("SELECT id, name FROM runs WHERE group_id = ?", (group,)):
                if old.startswith(f"{row['name']}, "):
                    own = name_within(name, old.removeprefix(f"{row['name']}, "))
                    db.execute("UPDATE runs SET name = ? WHERE id = ?", (own, run))

    def share(self, group: str) -> str:
        """The secret under which anybody may look at a group; made at the first call."""
        with self._db.write() as db:
            db.execute(
                "UPDATE groups SET token = ? WHERE id = ? AND token IS NULL",
                (secrets.token_urlsafe(16), group),
            )
            row = db.execute("SELECT token FROM groups WHERE id = ?", (group,)).fetchone()
        if row is None:
            raise TrainingError("This group of runs does not exist any more.")
        return str(row["token"])

    def withdraw(self, group: str) -> None:
        """End a group's link."""
        with self._db.write() as db:
            db.execute("UPDATE groups SET token = NULL WHERE id = ?", (group,))

    def pin(self, group: str, pinned: bool) -> None:
        """Pin all runs of a group, or none."""
        with self._db.write() as db:
            db.execute("UPDATE runs SET pinned = ? WHERE group_id = ?", (pinned, group))
