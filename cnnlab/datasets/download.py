"""Download of an archive, with its progress; a partial one never looks complete."""

import contextlib
import gzip
import hashlib
import http.client
import shutil
import urllib.request
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

from cnnlab.atomic import replacing
from cnnlab.errors import DatasetError
from cnnlab.folders import size_bytes

Progress = Callable[[int, int | None], None]
CHUNK_BYTES = 1 << 16
TIMEOUT_S = 20


class Unanswered(Exception):
    """An address that did not give the file; the message says why."""


def fetch(urls: Sequence[str], path: Path, md5: str, progress: Progress | None = None) -> None:
    """Download the first of `urls` that has the right file; an archive already there is kept.

    `progress` is told the bytes done and, where known, the bytes in all.

    Raises: DatasetError when no address has the right file or it cannot be written.
    """
    try:
        with readable_errors(path):
            save_first(urls, path, lambda file: checksum(file) == md5, progress)
    except Unanswered as problems:
        raise DatasetError(
            f"{path.name} could not be downloaded: {problems}. Check the connection and try "
            f"again, or put the file into {path.parent} yourself. The data set `shapes` needs no "
            "download."
        ) from None


def save_first(
    urls: Sequence[str],
    path: Path,
    is_right: Callable[[Path], bool],
    progress: Progress | None = None,
) -> None:
    """Save what the first of `urls` that has the right file gives; one already there is kept.

    Raises: Unanswered saying what was wrong with each address; OSError when nothing can be written.
    """
    problems = []
    path.parent.mkdir(parents=True, exist_ok=True)
    if size_bytes(path) is not None and is_right(path):
        return
    for url in urls:
        try:
            with replacing(path) as partial:
                _save(url, partial, is_right, progress)
            return
        except Unanswered as problem:
            problems.append(str(problem))
    raise Unanswered("; ".join(problems))


def unpack(archive: Path, path: Path) -> None:
    """Unpack a gzip archive of one file. Raises: DatasetError when it cannot be written."""
    with (
        readable_errors(path),
        replacing(path) as partial,
        gzip.open(archive) as packed,
        partial.open("wb") as file,
    ):
        shutil.copyfileobj(packed, file)


@contextlib.contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Say in a sentence that a file cannot be written: a full disk, a folder that is locked."""
    try:
        yield
    except OSError as error:
        raise DatasetError(
            f"{path.name} could not be written to {path.parent} ({error.strerror or error}). Make "
            "room there, or name another folder with CNNLAB_DATA. The data set `shapes` needs no "
            "folder."
        ) from error


def checksum(path: Path) -> str:
    """The md5 of a file, which is what the publishers of the sets give."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _save(
    url: str, path: Path, is_right: Callable[[Path], bool], progress: Progress | None
) -> None:
    done = 0
    # Closing ends the connection also when writing or the caller's progress bar fails.
    with contextlib.closing(_chunks(url)) as chunks, path.open("wb") as file:
        for chunk, total in chunks:
            file.write(chunk)
            done += len(chunk)
            if progress:
                progress(done, total)
    if not is_right(path):
        raise Unanswered(f"what {_host(url)} sent is not the file that was asked for")


def _chunks(url: str) -> Generator[tuple[bytes, int | None], None, None]:
    """The bytes at an address, and how many they will be in all where the server says so."""
    done = 0
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            length = answer.headers.get("Content-Length")
            total = int(length) if length else None
            while chunk := answer.read(CHUNK_BYTES):
                done += len(chunk)
                yield chunk, total
    # A server that is none gives ValueError or HTTPException, everything else OSError.
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise Unanswered(f"no answer from {_host(url)} ({reason})") from error
    if total is not None and done < total:
        raise Unanswered(f"{_host(url)} broke off after {done:,} of {total:,} bytes")


def _host(url: str) -> str:
    return urllib.request.Request(url).host
