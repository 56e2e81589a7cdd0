"""Entries of a list of runs: a single run, or the runs of a group as one."""

from collections.abc import Iterable
from dataclasses import dataclass

from cnnlab.runs.records import ACTIVE, RunRecord

# The state of a group whose runs ended in several ways is the first of these.
ENDINGS = ("failed", "interrupted", "cancelled", "finished")


@dataclass(frozen=True)
class Entry:
    """A single run, or all runs of a group, in the order in which they were asked for."""

    runs: tuple[RunRecord, ...]
    group: str | None = None

    @property
    def id(self) -> str:
        return self.group or self.runs[0].id

    @property
    def name(self) -> str:
        return (self.group and self.runs[0].group_name) or self.runs[0].name

    @property
    def pinned(self) -> bool:
        return all(run.pinned for run in self.runs)

    @property
    def queued_s(self) -> float:
        return self.runs[0].queued_s

    @property
    def active(self) -> list[RunRecord]:
        """The runs that wait or go on."""
        return [run for run in self.runs if run.status in ACTIVE]

    @property
    def ended(self) -> int:
        """How many runs have ended, in whichever way."""
        return len(self.runs) - len(self.active)

    @property
    def status(self) -> str:
        """One word for all runs: queued until one begins, running until the last ends."""
        found = {run.status for run in self.runs}
        if found == {"queued"}:
            return "queued"
        if self.active:
            return "running"
        return next(status for status in ENDINGS if status in found)


def entries(runs: Iterable[RunRecord]) -> list[Entry]:
    """Runs that are the newest first as entries, each where the first of its runs stands."""
    found: dict[str, list[RunRecord]] = {}
    for run in runs:
        found.setdefault(run.group_id or run.id, []).append(run)
    # Pinned runs stand first: within a group that is no order.
    return [
        Entry(tuple(sorted(own, key=lambda run: run.number)), own[0].group_id)
        for own in found.values()
    ]
