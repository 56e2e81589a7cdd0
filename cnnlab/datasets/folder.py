"""Where data sets are kept, and what is there."""

import contextlib
import os
from pathlib import Path

from platformdirs import user_cache_dir


def data_folder() -> Path:
    """The folder named by CNNLAB_DATA, or one in the user's cache."""
    return Path(os.environ.get("CNNLAB_DATA") or user_cache_dir("cnnlab")).expanduser()


def size_bytes(path: Path) -> int | None:
    """The size of a file; None where there is no file or the folder cannot be read."""
    with contextlib.suppress(OSError):
        if path.is_file():
            return path.stat().st_size
    return None
