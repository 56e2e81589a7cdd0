"""Permission check: a visitor changes their own runs, and nobody else's."""

from cnnlab.errors import TrainingError
from cnnlab.runs.records import RunRecord
from cnnlab.runs.store import RunStore


def own_run(store: RunStore, run: str, visitor: str) -> RunRecord:
    """The run, which has to be the visitor's. Raises: TrainingError where it is not."""
    record = store.run(run)
    if record is None or record.visitor != visitor:
        raise TrainingError("This run is not yours, or it does not exist any more.")
    return record


def own_group(store: RunStore, group: str, visitor: str) -> list[RunRecord]:
    """The runs of a group, which has to be the visitor's. Raises: TrainingError where it is not."""
    runs = store.groups.runs(group)
    if not runs or any(run.visitor != visitor for run in runs):
        raise TrainingError("This group of runs is not yours, or it does not exist any more.")
    return runs
