"""Whose run it is: a visitor changes their own runs, and nobody else's."""

from cnnlab.errors import TrainingError
from cnnlab.runs.records import RunRecord
from cnnlab.runs.store import RunStore


def own_run(store: RunStore, run: str, visitor: str) -> RunRecord:
    """The run, which has to be the visitor's. Raises: TrainingError where it is not."""
    record = store.run(run)
    if record is None or record.visitor != visitor:
        raise TrainingError("This run is not yours, or it does not exist any more.")
    return record
