"""Fashion-MNIST: 70,000 grey pictures of clothes, read by torchvision."""

from pathlib import Path

import torch
from torchvision.datasets import FashionMNIST

from cnnlab.datasets.dataset import Dataset, DatasetSpec, State
from cnnlab.datasets.download import Progress, fetch
from cnnlab.datasets.folder import data_folder
from cnnlab.errors import DatasetError

SPEC = DatasetSpec(
    name="fashion_mnist",
    title="Fashion-MNIST",
    description="Grey pictures of clothes, 28×28; what the book trains on.",
    channels=1,
    image_size=28,
    class_names=tuple(FashionMNIST.classes),
    train_size=60_000,
    test_size=10_000,
    source="Zalando Research, MIT licence",
)


def raw_folder() -> Path:
    return data_folder() / "FashionMNIST" / "raw"


def raw_files() -> dict[Path, int]:
    """The four unpacked files and the bytes that each must have."""
    pixels = SPEC.image_size**2
    sizes = {"train": SPEC.train_size, "t10k": SPEC.test_size}
    return {
        raw_folder() / f"{part}-{kind}-ubyte": header + count * each
        for part, count in sizes.items()
        for kind, header, each in (("images-idx3", 16, pixels), ("labels-idx1", 8, 1))
    }


def state() -> State:
    """Whether the files are there and whole, by their sizes."""
    found = {path: path.stat().st_size for path in raw_files() if path.exists()}
    if len(found) < len(raw_files()):
        return State(
            "not downloaded",
            f"Fashion-MNIST is not on this machine; the download is 30 MB, to {raw_folder()}.",
        )
    for path, size in raw_files().items():
        if found[path] != size:
            return State("damaged", _damaged(path, f"{found[path]:,} bytes instead of {size:,}"))
    return State("ready", f"Fashion-MNIST is in {raw_folder()}.")


def load(progress: Progress | None = None) -> Dataset:
    """All pictures; downloads them first where they are missing.

    Raises: DatasetError when they cannot be had or a file is damaged.
    """
    found = state()
    if found.status == "damaged":
        raise DatasetError(found.message)
    if found.status == "not downloaded":
        for name, md5 in FashionMNIST.resources:
            urls = [f"{mirror}{name}" for mirror in FashionMNIST.mirrors]
            fetch(urls, raw_folder() / name, md5, progress)
    try:
        train = FashionMNIST(str(data_folder()), train=True, download=_archives_are_there())
        test = FashionMNIST(str(data_folder()), train=False)
    except (OSError, ValueError, RuntimeError, AssertionError, EOFError) as error:
        raise DatasetError(_damaged(raw_folder(), str(error) or type(error).__name__)) from error
    dataset = Dataset(
        train.data[:, None].contiguous(),
        train.targets.long(),
        test.data[:, None].contiguous(),
        test.targets.long(),
        SPEC.class_names,
    )
    _check(dataset)
    return dataset


def _archives_are_there() -> bool:
    # torchvision unpacks archives only when asked to download; it finds them and fetches nothing.
    return not all(path.exists() for path in raw_files())


def _check(dataset: Dataset) -> None:
    counts = (len(dataset.train_images), len(dataset.test_images))
    labels = torch.cat([dataset.train_labels, dataset.test_labels])
    right = counts == (SPEC.train_size, SPEC.test_size) and bool((labels < SPEC.num_classes).all())
    if not right:
        raise DatasetError(
            _damaged(raw_folder(), f"it holds {counts[0]:,} and {counts[1]:,} pictures")
        )


def _damaged(path: Path, what: str) -> str:
    return f"Fashion-MNIST is damaged: {path} ({what}). Delete it and download the set again."
