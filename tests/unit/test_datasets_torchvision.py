"""Fashion-MNIST and CIFAR-10: found, downloaded from a server here, and read."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10, FashionMNIST

from cnnlab import datasets
from cnnlab.datasets import cifar10, download
from cnnlab.errors import DatasetError
from tests.conftest import ROOT
from tests.dataset_files import SmallCifar, SmallFashion, names_in, small_cifar, small_fashion
from tests.mirror import Mirror, nobody_there, serving_small_sets

FASHION, CIFAR = "fashion_mnist", "cifar10"
LARGEST = "train-images-idx3-ubyte.gz"
# Read before the tests get a folder of their own.
REAL_DATA = [Path(os.environ.get("CNNLAB_DATA", "")), ROOT.parent / "shared" / "data"]


@pytest.fixture
def fashion(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SmallFashion:
    return small_fashion(monkeypatch, tmp_path)


@pytest.fixture
def cifar(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SmallCifar:
    return small_cifar(monkeypatch, tmp_path)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Mirror]:
    with serving_small_sets(monkeypatch, tmp_path) as mirror:
        yield mirror


def check_fashion(dataset: datasets.Dataset, small: SmallFashion) -> None:
    for part, pictures, labels in (
        ("train", dataset.train_images, dataset.train_labels),
        ("t10k", dataset.test_images, dataset.test_labels),
    ):
        assert (pictures.dtype, labels.dtype) == (torch.uint8, torch.int64)
        assert np.array_equal(pictures[:, 0], small.arrays[f"{part}-images-idx3-ubyte"])
        assert np.array_equal(labels, small.arrays[f"{part}-labels-idx1-ubyte"])


@pytest.mark.usefixtures("fashion", "cifar")
def test_no_data_set_is_ready_in_an_empty_folder_but_shapes(tmp_path: Path) -> None:
    for name in (FASHION, CIFAR):
        found = datasets.state(name)
        assert found.status == "not downloaded"
        assert str(tmp_path) in found.message
    assert datasets.state("shapes").status == "ready"


@pytest.mark.parametrize("ask", [datasets.load, datasets.state])
def test_an_unknown_name_gets_the_names_there_are(ask: object) -> None:
    with pytest.raises(DatasetError, match=r"'mnist'; there are shapes, fashion_mnist, cifar10"):
        ask("mnist")  # type: ignore[operator]


# Files that are already there


def test_raw_fashion_files_are_used_without_a_connection(
    fashion: SmallFashion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FashionMNIST, "mirrors", [nobody_there()])
    fashion.write()
    assert datasets.state(FASHION).status == "ready"
    check_fashion(datasets.load(FASHION), fashion)


def test_cifar_batches_come_in_their_order_with_colour_first(
    cifar: SmallCifar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CIFAR10, "url", nobody_there())
    cifar.write()
    assert datasets.state(CIFAR).status == "ready"
    dataset = datasets.load(CIFAR)
    wanted = np.concatenate([cifar.pictures[f"data_batch_{i}"] for i in range(1, 6)])
    assert np.array_equal(dataset.train_images, wanted.reshape(-1, 3, 32, 32))
    assert np.array_equal(dataset.test_images, cifar.pictures["test_batch"].reshape(-1, 3, 32, 32))
    assert dataset.train_labels.tolist() == [0, 1, 2, 3] * 5
    assert (dataset.train_images.dtype, dataset.train_labels.dtype) == (torch.uint8, torch.int64)
    assert dataset.train_images.is_contiguous()


def test_the_real_fashion_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in REAL_DATA:
        monkeypatch.setenv("CNNLAB_DATA", str(folder))
        if datasets.state(FASHION).status == "ready":
            break
    else:
        pytest.skip("Fashion-MNIST is not on this machine; name its folder with CNNLAB_DATA")
    dataset = datasets.load(FASHION)
    spec = datasets.DATASETS[FASHION]
    assert dataset.train_images.shape == (spec.train_size, 1, 28, 28)
    assert dataset.test_images.shape == (spec.test_size, 1, 28, 28)
    pixels = dataset.train_images.float() / 255
    assert (pixels.mean().item(), pixels.std().item()) == pytest.approx((0.2860, 0.3530), abs=1e-4)
    assert dataset.train_labels.bincount().tolist() == [6_000] * 10
    assert dataset.test_labels.bincount().tolist() == [1_000] * 10
    assert dataset.class_names[9] == "Ankle boot"


def test_a_set_moves_to_another_device(fashion: SmallFashion) -> None:
    fashion.write()
    moved = datasets.load(FASHION).to("meta")
    tensors = (moved.train_images, moved.train_labels, moved.test_images, moved.test_labels)
    assert {tensor.device.type for tensor in tensors} == {"meta"}


# Downloads that work


@pytest.mark.parametrize("name", [FASHION, CIFAR])
def test_a_download_reports_its_progress_and_is_then_ready(
    name: str, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(download, "CHUNK_BYTES", 1_000)
    reports: list[tuple[int, int | None]] = []
    dataset = datasets.load(name, progress=lambda done, total: reports.append((done, total)))
    done = [report[0] for report in reports]
    assert done == sorted(set(done))
    assert len(done) > 5
    # One whole for all archives of a set: a bar runs once from left to right.
    assert {report[1] for report in reports} == {done[-1]}
    assert datasets.state(name).status == "ready"
    assert not [file for file in names_in(tmp_path) if "partial" in file]
    mirror.files.clear()
    assert torch.equal(datasets.load(name).train_images, dataset.train_images)


@pytest.mark.usefixtures("mirror")
def test_the_downloaded_pictures_are_those_of_the_archive(fashion: SmallFashion) -> None:
    check_fashion(datasets.load(FASHION), fashion)


def test_a_server_that_does_not_say_how_much_comes(mirror: Mirror) -> None:
    mirror.without_length = set(mirror.files)
    reports: list[tuple[int, int | None]] = []
    datasets.load(CIFAR, progress=lambda done, total: reports.append((done, total)))
    assert reports[-1] == (len(mirror.files[CIFAR10.filename]), None)


def test_the_next_mirror_is_asked_when_one_does_not_have_the_file(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrors = [nobody_there(), f"{mirror.url}nothing/", mirror.url]
    monkeypatch.setattr(FashionMNIST, "mirrors", mirrors)
    assert len(datasets.load(FASHION).train_labels) == 30
    assert mirror.asked[f"nothing/{LARGEST}"] == 1


def test_only_what_is_missing_is_fetched(mirror: Mirror, tmp_path: Path) -> None:
    datasets.load(FASHION)
    datasets.load(CIFAR)
    mirror.asked.clear()
    folder = tmp_path / "FashionMNIST" / "raw"
    (folder / "t10k-labels-idx1-ubyte").unlink()
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    (tmp_path / CIFAR10.base_folder / "data_batch_3").unlink()
    assert datasets.state(FASHION).status == datasets.state(CIFAR).status == "not downloaded"
    datasets.load(FASHION)
    datasets.load(CIFAR)
    # CIFAR's archive is still there and still right.
    assert mirror.asked == {"t10k-labels-idx1-ubyte.gz": 1}


@pytest.mark.parametrize(("name", "archives"), [(FASHION, 4), (CIFAR, 1)])
def test_readers_who_ask_at_once_all_get_the_set_of_one_download(
    name: str, archives: int, mirror: Mirror
) -> None:
    readers = 6
    together = threading.Barrier(readers)

    def ask(_: int) -> int:
        together.wait()
        return len(datasets.load(name).train_labels)

    with ThreadPoolExecutor(readers) as pool:
        assert len(set(pool.map(ask, range(readers)))) == 1
    assert mirror.asked.total() == archives


def test_two_processes_may_write_the_same_archive(mirror: Mirror, tmp_path: Path) -> None:
    """Without the lock of one process: each writes into a file of its own."""
    raw, path = mirror.files[CIFAR10.filename], tmp_path / CIFAR10.filename
    together = threading.Barrier(4)

    def ask(_: int) -> bytes:
        together.wait()
        download.fetch([CIFAR10.url], path, CIFAR10.tgz_md5)
        return bytes(path.read_bytes())

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ask, range(4))) == {raw}
    assert names_in(tmp_path) == {CIFAR10.filename}


def test_names_are_those_that_torchvision_knows() -> None:
    """They are written down here, so that a page need not load torchvision to name them."""
    assert datasets.DATASETS["fashion_mnist"].class_names == tuple(FashionMNIST.classes)
    assert CIFAR10.base_folder == cifar10.FOLDER
    assert set(cifar10.checksums()) == set(cifar10.NAMES)
