"""Damaged data sets got again: what is there stays until its successor is whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torchvision.datasets import CIFAR10, FashionMNIST

from cnnlab import datasets
from cnnlab.datasets import __main__ as command
from cnnlab.datasets import cifar10, fashion_mnist
from cnnlab.errors import DatasetError
from tests.mirror import Mirror, nobody_there, serving_small_sets

FASHION, CIFAR = "fashion_mnist", "cifar10"
IMAGES, LABELS = "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Mirror]:
    """Both sets are downloaded; their archives are gone since."""
    with serving_small_sets(monkeypatch, tmp_path) as mirror:
        for name in (FASHION, CIFAR):
            datasets.load(name)
        for archive in tmp_path.rglob("*.gz"):
            archive.unlink()
        mirror.asked.clear()
        yield mirror


def images() -> Path:
    return fashion_mnist.raw_folder() / IMAGES


def test_only_what_is_damaged_is_fetched_again(mirror: Mirror) -> None:
    before = datasets.load(FASHION)
    images().write_bytes(images().read_bytes()[:-1])
    assert datasets.state(FASHION).status == "damaged"
    told: list[int] = []
    after = datasets.mend(FASHION, progress=lambda done, _total: told.append(done))
    assert torch.equal(before.train_images, after.train_images)
    assert datasets.state(FASHION).status == "ready"
    assert mirror.asked == {f"{IMAGES}.gz": 1}
    assert told


def test_damage_that_only_reading_shows_is_mended_too(mirror: Mirror) -> None:
    labels = fashion_mnist.raw_folder() / LABELS
    labels.write_bytes(labels.read_bytes()[:-1] + bytes([200]))
    with pytest.raises(DatasetError, match="the label 200"):
        datasets.load(FASHION)
    datasets.mend(FASHION)
    assert len(mirror.asked) == 4


def test_a_changed_cifar_batch_is_taken_from_the_archive(mirror: Mirror) -> None:
    first, second, *_ = cifar10.batches()
    untouched = second.stat().st_mtime_ns
    first.write_bytes(b"damaged")
    with pytest.raises(DatasetError, match="checksum"):
        datasets.load(CIFAR)
    assert len(datasets.mend(CIFAR).train_labels) == 20
    assert second.stat().st_mtime_ns == untouched
    assert mirror.asked == {CIFAR10.filename: 1}
    # Whole, it asks nobody.
    datasets.mend(CIFAR)
    assert mirror.asked == {CIFAR10.filename: 1}


@pytest.mark.usefixtures("mirror")
def test_offline_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FashionMNIST, "mirrors", [nobody_there()])
    images().write_bytes(b"some of it")
    with pytest.raises(DatasetError, match="could not be downloaded"):
        datasets.mend(FASHION)
    assert images().read_bytes() == b"some of it"
    assert datasets.state(FASHION).status == "damaged"


@pytest.mark.usefixtures("mirror")
def test_the_command_gets_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images().write_bytes(b"some of it")
    monkeypatch.setattr("sys.argv", ["cnnlab.datasets", FASHION, "--again"])
    command.main()
    assert "30 training and 10 test pictures" in capsys.readouterr().out
