"""What visitors may change of their own runs in the store, whether those go on or not."""

from cnnlab.jobs.permissions import own_group, own_run
from cnnlab.runs.store import RunStore


class OwnRuns:
    """Names, pins and links of runs and groups; each is refused for somebody else's."""

    def __init__(self, store: RunStore) -> None:
        self.store = store

    def rename(self, run: str, visitor: str, name: str) -> None:
        """Raises: TrainingError for somebody else's run or an unusable name."""
        own_run(self.store, run, visitor)
        self.store.rename(run, name)

    def rename_group(self, group: str, visitor: str, name: str) -> None:
        """Raises: TrainingError for somebody else's group or an unusable name."""
        own_group(self.store, group, visitor)
        self.store.groups.rename(group, name)

    def pin(self, run: str, visitor: str, pinned: bool) -> None:
        """Keep a run on top, or no longer. Raises: TrainingError for somebody else's."""
        own_run(self.store, run, visitor)
        self.store.pin(run, pinned)

    def pin_group(self, group: str, visitor: str, pinned: bool) -> None:
        """Keep a group on top, or no longer. Raises: TrainingError for somebody else's."""
        own_group(self.store, group, visitor)
        self.store.groups.pin(group, pinned)

    def share(self, run: str, visitor: str) -> str:
        """The secret of a run's link. Raises: TrainingError for somebody else's run."""
        own_run(self.store, run, visitor)
        return self.store.share(run)

    def share_group(self, group: str, visitor: str) -> str:
        """The secret of a group's link. Raises: TrainingError for somebody else's group."""
        own_group(self.store, group, visitor)
        return self.store.groups.share(group)

    def withdraw(self, run: str, visitor: str) -> None:
        """End a run's link. Raises: TrainingError for somebody else's run."""
        own_run(self.store, run, visitor)
        self.store.withdraw(run)

    def withdraw_group(self, group: str, visitor: str) -> None:
        """End a group's link. Raises: TrainingError for somebody else's group."""
        own_group(self.store, group, visitor)
        self.store.groups.withdraw(group)
