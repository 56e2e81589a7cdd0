"""Folders on this machine: data sets, what is derived from them, runs."""

import contextlib
import os
from pathlib import Path

from platformdirs import user_cache_dir, user_data_dir

# The library itself, as it travels to other processes and machines.
PACKAGE = Path(__file__).parent


def data_folder() -> Path:
    """Where data sets are: the folder named by CNNLAB_DATA, or one in the user's cache.

    It may be shared or read-only.
    """
    return _folder("CNNLAB_DATA", user_cache_dir("cnnlab"))


def cache_folder() -> Path:
    """Where derived files are, which can be made again: CNNLAB_CACHE, or the user's cache."""
    return _folder("CNNLAB_CACHE", user_cache_dir("cnnlab"))


def home_folder() -> Path:
    """Where runs and their weights are: CNNLAB_HOME, or a folder in the user's data."""
    return _folder("CNNLAB_HOME", user_data_dir("cnnlab"))


def library_on_path() -> dict[str, str]:
    """The environment for another Python process that shall find this library, wherever it is."""
    search = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(search)}


def size_bytes(path: Path) -> int | None:
    """The size of a file; None where there is no file or the folder cannot be read."""
    with contextlib.suppress(OSError):
        if path.is_file():
            return path.stat().st_size
    return None


def _folder(variable: str, default: str) -> Path:
    # Absolute, because a worker may have another working directory.
    return Path(os.environ.get(variable) or default).expanduser().absolute()
