"""What a visitor may do with their own runs, and with nobody else's."""

from cnnlab.errors import TrainingError
from cnnlab.training.records import ACTIVE, RunRecord
from cnnlab.training.store import RunStore


class OwnRuns:
    """Changes to runs that are noted, each checked for whose run it is."""

    def __init__(self, store: RunStore) -> None:
        self.store = store

    def delete(self, run: str, visitor: str) -> None:
        """Forget one of the visitor's own runs. Raises: TrainingError for somebody else's."""
        if self._own(run, visitor).status in ACTIVE:
            raise TrainingError("This run is still going on. Stop it first, then delete it.")
        self.store.delete(run)

    def rename(self, run: str, visitor: str, name: str) -> None:
        """Raises: TrainingError for somebody else's run or an unusable name."""
        self._own(run, visitor)
        self.store.rename(run, name)

    def pin(self, run: str, visitor: str, pinned: bool) -> None:
        """Keep a run on top, or no longer. Raises: TrainingError for somebody else's."""
        self._own(run, visitor)
        self.store.pin(run, pinned)

    def share(self, run: str, visitor: str) -> str:
        """The secret of a run's link. Raises: TrainingError for somebody else's run."""
        self._own(run, visitor)
        return self.store.share(run)

    def _own(self, run: str, visitor: str) -> RunRecord:
        record = self.store.run(run)
        if record is None or record.visitor != visitor:
            raise TrainingError("This run is not yours, or it does not exist any more.")
        return record
