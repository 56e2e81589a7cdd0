"""Where data sets are kept."""

import os
from pathlib import Path

from platformdirs import user_cache_dir


def data_folder() -> Path:
    """The folder named by CNNLAB_DATA, or one in the user's cache."""
    return Path(os.environ.get("CNNLAB_DATA") or user_cache_dir("cnnlab"))
