"""Disk that weights take: how much each visitor's, and which go when it is too much."""

import contextlib
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cnnlab.folders import size_bytes
from cnnlab.runs.database import Database

GONE = "Its weights made room for newer ones."


@dataclass(frozen=True)
class Quota:
    """What weights may take: of one visitor, of all, and what has to stay free on the disk.

    Units: bytes.
    """

    visitor_bytes: int
    all_bytes: int
    free_bytes: int


@dataclass(frozen=True)
class Kept:
    """The weights of a run. Units: bytes."""

    run: str
    visitor: str
    size_bytes: int


class Weights:
    """The files in `home/weights`, and the runs that they belong to."""

    def __init__(self, db: Database, folder: Path) -> None:
        self._db, self._folder = db, folder

    def path(self, run: str) -> Path:
        """Where the weights of a run are kept."""
        return self._folder / f"{run}.safetensors"

    def sizes(self, runs: Iterable[str]) -> dict[str, int]:
        """Sizes of those weights that are there, by run. Units: bytes."""
        found = {run: size_bytes(self.path(run)) for run in runs}
        return {run: size for run, size in found.items() if size is not None}

    def of_visitor(self, visitor: str) -> int:
        """What all weights of a visitor take. Units: bytes."""
        with self._db.read() as db:
            rows = db.execute(
                "SELECT id FROM runs WHERE visitor = ? AND weights IS NOT NULL", (visitor,)
            ).fetchall()
        return sum(self.sizes(row["id"] for row in rows).values())

    def make_room(self, quota: Quota) -> list[str]:
        """Delete the oldest weights that are not pinned until the quota holds; returns their runs.

        The curves stay. Raises: TrainingError when the file of runs cannot be read or written.
        """
        kept = list(self._oldest_first())
        of_visitor: Counter[str] = Counter()
        for one in self._all():
            of_visitor[one.visitor] += one.size_bytes
        total, free = sum(of_visitor.values()), self._free_bytes()
        gone: list[str] = []
        for one in kept:
            too_much = (
                of_visitor[one.visitor] > quota.visitor_bytes
                or total > quota.all_bytes
                or free < quota.free_bytes
            )
            if too_much:
                self._forget(one.run)
                gone.append(one.run)
                of_visitor[one.visitor] -= one.size_bytes
                total -= one.size_bytes
                free += one.size_bytes
        return gone

    def _oldest_first(self) -> Iterator[Kept]:
        # The newest of each visitor stays: it is what they look at.
        return self._those(
            "AND NOT pinned AND runs.rowid NOT IN (SELECT max(rowid) FROM runs "
            "WHERE weights IS NOT NULL GROUP BY visitor)"
        )

    def _all(self) -> Iterator[Kept]:
        return self._those("")

    def _those(self, condition: str) -> Iterator[Kept]:
        query = f"SELECT id, visitor FROM runs WHERE weights IS NOT NULL {condition} ORDER BY rowid"
        with self._db.read() as db:
            rows = db.execute(query).fetchall()
        for row in rows:
            if (size := size_bytes(self.path(row["id"]))) is not None:
                yield Kept(row["id"], row["visitor"], size)

    def _forget(self, run: str) -> None:
        with self._db.write() as db:
            db.execute(
                "UPDATE runs SET weights = NULL, message = trim(message || ' ' || ?) WHERE id = ?",
                (GONE, run),
            )
        with contextlib.suppress(OSError):
            self.path(run).unlink()

    def _free_bytes(self) -> int:
        folder = self._folder if self._folder.exists() else self._folder.parent
        return shutil.disk_usage(folder).free
