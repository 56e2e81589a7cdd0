"""Downloads that fail: one sentence, nothing left behind, and the next try works."""

import re
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from torchvision.datasets import CIFAR10, FashionMNIST

from cnnlab import datasets
from cnnlab.errors import DatasetError
from tests.dataset_files import names_in
from tests.mirror import Mirror, nobody_there, serving_small_sets

FASHION, CIFAR = "fashion_mnist", "cifar10"
LARGEST = "train-images-idx3-ubyte.gz"


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Mirror]:
    with serving_small_sets(monkeypatch, tmp_path) as mirror:
        yield mirror


def error_of(name: str) -> str:
    with pytest.raises(DatasetError) as caught:
        datasets.load(name)
    return str(caught.value)


def check_nothing_is_left(name: str, tmp_path: Path, mirror: Mirror) -> None:
    assert names_in(tmp_path) == set()
    assert datasets.state(name).status == "not downloaded"
    for wrong in (mirror.cut, mirror.cut_in_a_chunk, mirror.not_http):
        wrong.clear()
    datasets.load(name)


@pytest.mark.parametrize(("name", "file"), [(FASHION, LARGEST), (CIFAR, CIFAR10.filename)])
@pytest.mark.parametrize("wrong", ["cut", "cut_in_a_chunk", "not_http"])
def test_a_connection_that_breaks(
    name: str, file: str, wrong: str, mirror: Mirror, tmp_path: Path
) -> None:
    getattr(mirror, wrong).add(file)
    message = error_of(name)
    assert message.startswith(f"{file} could not be downloaded: ")
    assert "Check the connection" in message
    assert "`shapes` needs no download" in message
    if wrong == "cut":
        size = len(mirror.files[file])
        assert f"broke off after {size // 2:,} of {size:,} bytes" in message
    check_nothing_is_left(name, tmp_path, mirror)


@pytest.mark.parametrize(("name", "file"), [(FASHION, LARGEST), (CIFAR, CIFAR10.filename)])
def test_a_page_that_is_not_the_file(name: str, file: str, mirror: Mirror, tmp_path: Path) -> None:
    right = mirror.files[file]
    mirror.files[file] = b"<html>Please sign in to the hotel's network</html>"
    assert "is not the file that was asked for" in error_of(name)
    mirror.files[file] = right
    check_nothing_is_left(name, tmp_path, mirror)


@pytest.mark.parametrize("name", [FASHION, CIFAR])
def test_a_file_that_is_gone_from_the_server(name: str, mirror: Mirror, tmp_path: Path) -> None:
    files = dict(mirror.files)
    mirror.files.clear()
    assert "(Not Found)" in error_of(name)
    mirror.files.update(files)
    check_nothing_is_left(name, tmp_path, mirror)


def test_offline(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as offline:
        offline.setattr(FashionMNIST, "mirrors", [nobody_there()])
        message = error_of(FASHION)
    assert "no answer from 127.0.0.1" in message
    assert f"or put the file into {tmp_path / 'FashionMNIST' / 'raw'} yourself" in message
    check_nothing_is_left(FASHION, tmp_path, mirror)


def test_an_archive_put_there_by_hand_is_taken(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(CIFAR10, "url", nobody_there())
    (tmp_path / CIFAR10.filename).write_bytes(mirror.files[CIFAR10.filename])
    assert len(datasets.load(CIFAR).test_labels) == 3


def test_a_damaged_archive_put_there_by_hand_is_fetched_anew(
    mirror: Mirror, tmp_path: Path
) -> None:
    (tmp_path / CIFAR10.filename).write_bytes(mirror.files[CIFAR10.filename][:-1])
    assert len(datasets.load(CIFAR).test_labels) == 3
    assert mirror.asked == {CIFAR10.filename: 1}


def test_a_progress_bar_that_stops_the_download(mirror: Mirror, tmp_path: Path) -> None:
    """As when a reader leaves the page: whatever it raises passes, and no half file is left."""

    class Left(BaseException):
        pass

    def leave(_done: int, _total: int | None) -> None:
        raise Left

    for name in (FASHION, CIFAR):
        with pytest.raises(Left):
            datasets.load(name, progress=leave)
        check_nothing_is_left(name, tmp_path, mirror)
        for file in tmp_path.rglob("*"):
            if file.is_file():
                file.unlink()


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", [FASHION, CIFAR])
def test_a_folder_that_cannot_be_made(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "file"))
    assert datasets.state(name).status == "not downloaded"
    message = error_of(name)
    assert f"could not be written to {tmp_path / 'file'}" in message
    assert "CNNLAB_DATA" in message


def test_a_disk_that_is_full(mirror: Mirror, tmp_path: Path) -> None:
    """The system refuses to let a file grow; the message does not blame the connection."""
    limit = len(mirror.files[LARGEST]) // 2
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(DatasetError) as caught:
            datasets.load(FASHION)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "could not be written" in str(caught.value)
    assert "Make room there" in str(caught.value)
    check_nothing_is_left(FASHION, tmp_path, mirror)


def test_every_mirror_is_named_with_its_reason(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.cut.add(LARGEST)
    monkeypatch.setattr(FashionMNIST, "mirrors", [nobody_there(), mirror.url])
    assert re.search(r"refused.*; .*broke off", error_of(FASHION))


def test_unpacking_that_breaks_off_leaves_no_part_of_a_batch(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def half(packed: IO[bytes], file: IO[bytes]) -> None:
        file.write(packed.read(10))
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(shutil, "copyfileobj", half)
        assert "No space left" in error_of(CIFAR)
    assert names_in(tmp_path) == {CIFAR10.filename}
    datasets.load(CIFAR)
    # The archive was whole: it is unpacked again and not fetched again.
    assert mirror.asked[CIFAR10.filename] == 1
