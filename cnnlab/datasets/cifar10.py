"""CIFAR-10: 60,000 small colour photographs, read by torchvision."""

import shutil
import tarfile
from pathlib import Path

import torch

from cnnlab.atomic import replacing
from cnnlab.datasets.dataset import Dataset, DatasetSpec, State, again
from cnnlab.datasets.download import Progress, checksum, fetch, readable_errors
from cnnlab.errors import DatasetError
from cnnlab.folders import data_folder, size_bytes

FOLDER = "cifar-10-batches-py"
NAMES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta")


def batches() -> list[Path]:
    """The unpacked files."""
    return [data_folder() / FOLDER / name for name in NAMES]


def checksums() -> dict[str, str]:
    """The md5 of each file by name, which torchvision checks before it opens the pickles."""
    # Not above: torchvision takes a third of the time in which a process starts.
    from torchvision.datasets import CIFAR10

    return {
        CIFAR10.meta["filename"]: CIFAR10.meta["md5"],
        **dict([*CIFAR10.train_list, *CIFAR10.test_list]),
    }


def state() -> State:
    """Whether the unpacked batches are there; what they hold is checked on loading."""
    if any(size_bytes(path) is None for path in batches()):
        return State(
            "not downloaded",
            f"CIFAR-10 is not on this machine; the download is 170 MB, to {data_folder()}.",
        )
    return State("ready", f"CIFAR-10 is in {data_folder() / FOLDER}.")


def load(progress: Progress | None = None) -> Dataset:
    """All pictures; downloads them first where they are missing.

    Raises: DatasetError when they cannot be had or a file is damaged.
    """

    if state().status == "not downloaded":
        _download([path for path in batches() if size_bytes(path) is None], progress)
    return Dataset(*_read(train=True), *_read(train=False), SPEC.class_names)


def mend(progress: Progress | None = None) -> None:
    """Take those files out of the archive again whose checksum is wrong; fetch it where need be.

    What is there stays until the new file takes its place. Raises: DatasetError as `load` does.
    """
    folder = data_folder() / FOLDER
    wrong = [
        folder / name for name, md5 in checksums().items() if not _is_whole(folder / name, md5)
    ]
    if wrong:
        _download(wrong, progress)


def _is_whole(path: Path, md5: str) -> bool:
    return size_bytes(path) is not None and checksum(path) == md5


def _download(paths: list[Path], progress: Progress | None) -> None:
    """Fetch the archive, unless it is there, and unpack these files, each whole or not at all."""
    from torchvision.datasets import CIFAR10

    archive = data_folder() / CIFAR10.filename
    fetch([CIFAR10.url], archive, CIFAR10.tgz_md5, progress)
    wanted = {f"{FOLDER}/{path.name}": path for path in paths}
    with tarfile.open(archive) as members:
        for member in members:
            path, packed = wanted.get(member.name), members.extractfile(member)
            if path is None or packed is None:
                continue
            with readable_errors(path):
                path.parent.mkdir(exist_ok=True)
                with replacing(path) as partial, partial.open("wb") as file:
                    shutil.copyfileobj(packed, file)


def _read(train: bool) -> tuple[torch.Tensor, torch.Tensor]:
    from torchvision.datasets import CIFAR10

    try:
        part = CIFAR10(str(data_folder()), train=train)
    except (OSError, RuntimeError) as error:
        raise DatasetError(_what_is_damaged()) from error
    images = torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous()
    return images, torch.tensor(part.targets)


def _what_is_damaged() -> str:
    """torchvision says only that something is wrong; find the file."""
    for name, md5 in checksums().items():
        path = data_folder() / FOLDER / name
        if size_bytes(path) is None:
            return _damaged(path, "missing or not readable")
        if checksum(path) != md5:
            return _damaged(path, "its checksum is wrong")
    return _damaged(data_folder() / FOLDER, "it could not be read")


def _damaged(path: Path, what: str) -> str:
    return f"CIFAR-10 is damaged: {path} ({what}). {again('cifar10')}"


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
    source="Krizhevsky 2009, no licence stated",
    load=load,
    state=state,
    mend=mend,
)
