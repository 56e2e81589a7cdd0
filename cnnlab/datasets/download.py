"""Fetching an archive with progress; a partial download never looks complete."""

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from cnnlab.errors import DatasetError

Progress = Callable[[int, int | None], None]
CHUNK_BYTES = 1 << 16
TIMEOUT_S = 20


def fetch(urls: Sequence[str], path: Path, md5: str, progress: Progress | None = None) -> None:
    """Download the first of `urls` that answers, check it, and only then put it in its place.

    `progress` is told the bytes done and, where known, the bytes in all.

    Raises: DatasetError when no address answers with the right file or the disk is full.
    """
    if path.exists() and _md5(path) == md5:
        return
    problems = []
    for url in urls:
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _stream(url, partial, progress)
            if _md5(partial) == md5:
                os.replace(partial, path)
                return
            problems.append("what came is not the file that was asked for")
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            problems.append(f"no answer ({getattr(error, 'reason', error)})")
        except OSError as error:
            problems.append(f"it could not be written to {path.parent} ({error.strerror or error})")
        finally:
            partial.unlink(missing_ok=True)
    raise DatasetError(
        f"{path.name} could not be downloaded: {'; '.join(problems)}. Check the connection and "
        f"try again, or put the file into {path.parent} yourself. The data set `shapes` needs no "
        "download."
    )


def _stream(url: str, path: Path, progress: Progress | None) -> None:
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer, path.open("wb") as file:
        length = answer.headers.get("Content-Length")
        total = int(length) if length else None
        done = 0
        while chunk := answer.read(CHUNK_BYTES):
            file.write(chunk)
            done += len(chunk)
            if progress:
                progress(done, total)
        if total is not None and done < total:
            raise ConnectionError(f"the connection broke after {done:,} of {total:,} bytes")


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
