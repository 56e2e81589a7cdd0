"""CIFAR-10: 60,000 small colour photographs, read by torchvision."""

import torch
from torchvision.datasets import CIFAR10

from cnnlab.datasets.dataset import Dataset, DatasetSpec, State
from cnnlab.datasets.download import Progress, fetch
from cnnlab.datasets.folder import data_folder
from cnnlab.errors import DatasetError

SPEC = DatasetSpec(
    name="cifar10",
    title="CIFAR-10",
    description="Small colour photographs of animals and vehicles, 32×32.",
    channels=3,
    image_size=32,
    class_names=(
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ),
    train_size=50_000,
    test_size=10_000,
    source="Krizhevsky 2009",
)


def state() -> State:
    """Whether the unpacked batches are there; torchvision checks their contents on loading."""
    folder = data_folder() / CIFAR10.base_folder
    names = [name for name, _ in CIFAR10.train_list + CIFAR10.test_list]
    missing = [name for name in names if not (folder / name).exists()]
    if len(missing) == len(names):
        return State(
            "not downloaded",
            f"CIFAR-10 is not on this machine; the download is 170 MB, to {data_folder()}.",
        )
    if missing:
        return State("damaged", _damaged(f"{missing[0]} is missing"))
    return State("ready", f"CIFAR-10 is in {folder}.")


def load(progress: Progress | None = None) -> Dataset:
    """All pictures; downloads them first where they are missing.

    Raises: DatasetError when they cannot be had or a file is damaged.
    """
    root = str(data_folder())
    if state().status == "not downloaded":
        fetch([CIFAR10.url], data_folder() / CIFAR10.filename, CIFAR10.tgz_md5, progress)
        _read(root, train=True, unpack=True)
    train, test = _read(root, train=True), _read(root, train=False)
    return Dataset(*_tensors(train), *_tensors(test), SPEC.class_names)


def _read(root: str, train: bool, unpack: bool = False) -> CIFAR10:
    try:
        # The batches are pickles; torchvision opens them only after their checksums match.
        return CIFAR10(root, train=train, download=unpack)
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        raise DatasetError(_damaged(str(error) or type(error).__name__)) from error


def _tensors(part: CIFAR10) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous()
    return images, torch.tensor(part.targets)


def _damaged(what: str) -> str:
    folder = data_folder() / CIFAR10.base_folder
    return f"CIFAR-10 is damaged ({what}). Delete {folder} and download the set again."
