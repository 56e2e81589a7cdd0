"""File lock of each server, which ends with its process: who left runs behind when it died."""

import secrets
from pathlib import Path

from filelock import FileLock, Timeout


class ServerLock:
    """This server's lock in a folder that several servers may share.

    Process numbers would not do: they are used again, and differ from container to container.
    Raises: OSError when the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = secrets.token_hex(8)
        self._folder = folder
        self._lock = self._lock_of(self.name)
        self._lock.acquire(timeout=0)

    def lives(self, name: str) -> bool:
        """Whether the server of this name is still there; what a dead one left is removed."""
        if name == self.name:
            return True
        lock = self._lock_of(name)
        if not Path(lock.lock_file).exists():
            return False
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
        return False

    def close(self) -> None:
        """Say that this server is gone."""
        Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()

    def _lock_of(self, name: str) -> FileLock:
        return FileLock(self._folder / f"{name}.lock", thread_local=False)
