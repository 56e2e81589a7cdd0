"""Atomic writes: a file is either whole or not there."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside `path` that takes its place when the block ends without an error.

    Its name is its own, so that two readers who ask at the same time do not write into one file.
    """
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        # Already moved, or in a folder that cannot be written: nothing to tidy up.
        with contextlib.suppress(OSError):
            partial.unlink()
