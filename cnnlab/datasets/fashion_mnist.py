"""Fashion-MNIST: 70,000 grey pictures of clothes, read by torchvision."""

import contextlib
import struct
from pathlib import Path

import torch

from cnnlab.datasets.dataset import Dataset, DatasetSpec, State, again
from cnnlab.datasets.download import Progress, fetch, unpack
from cnnlab.errors import DatasetError
from cnnlab.folders import data_folder, size_bytes

# The four archives together, so that one progress bar runs once from left to right.
DOWNLOAD_BYTES = 30_878_645
# IDX: two zero bytes, the type (8 is a byte) and the number of axes; then the length of each axis.
IMAGES_MAGIC, LABELS_MAGIC = 0x0803, 0x0801


def raw_folder() -> Path:
    return data_folder() / "FashionMNIST" / "raw"


def raw_files() -> dict[Path, tuple[bytes, int]]:
    """The four unpacked files, with the bytes that each must begin with and its size in bytes."""
    side = SPEC.image_size
    files = {}
    for part, count in (("train", SPEC.train_size), ("t10k", SPEC.test_size)):
        images = struct.pack(">4i", IMAGES_MAGIC, count, side, side)
        labels = struct.pack(">2i", LABELS_MAGIC, count)
        files[raw_folder() / f"{part}-images-idx3-ubyte"] = (images, 16 + count * side**2)
        files[raw_folder() / f"{part}-labels-idx1-ubyte"] = (labels, 8 + count)
    return files


def state() -> State:
    """Whether the files are there and whole, by their sizes and first bytes."""
    sizes = {path: size_bytes(path) for path in raw_files()}
    if None in sizes.values():
        return State(
            "not downloaded",
            f"Fashion-MNIST is not on this machine; the download is 31 MB, to {raw_folder()}.",
        )
    for path in sizes:
        if problem := _problem(path):
            return State("damaged", _damaged(path, problem))
    return State("ready", f"Fashion-MNIST is in {raw_folder()}.")


def _problem(path: Path) -> str:
    """What can be seen to be wrong with an unpacked file without reading all of it."""
    header, size = raw_files()[path]
    found = size_bytes(path)
    if found is None:
        return "it is missing"
    if found != size:
        return f"{found:,} bytes instead of {size:,}"
    if _first_bytes(path, len(header)) != header:
        return "its first bytes are not those of this set"
    return ""


def load(progress: Progress | None = None) -> Dataset:
    """All pictures; downloads them first where they are missing.

    Raises: DatasetError when they cannot be had or a file is damaged.
    """
    if state().status == "not downloaded":
        _download(progress)
    found = state()
    if found.status != "ready":
        raise DatasetError(found.message)
    return Dataset(*_read("train"), *_read("t10k"), SPEC.class_names)


def mend(progress: Progress | None = None) -> None:
    """Fetch again what is damaged; all of it where that cannot be seen from outside.

    What is there stays until the new file takes its place. Raises: DatasetError as `load` does.
    """
    _download(progress, all_of_it=state().status == "ready")


def _download(progress: Progress | None, *, all_of_it: bool = False) -> None:
    """Fetch what is missing or damaged; files that are already unpacked need no archive."""
    # Not above: torchvision takes a third of the time in which a process starts.
    from torchvision.datasets import FashionMNIST

    done_before = 0

    def whole(done_bytes: int, _: int | None) -> None:
        if progress:
            progress(done_before + done_bytes, DOWNLOAD_BYTES)

    for name, md5 in FashionMNIST.resources:
        archive = raw_folder() / name
        if all_of_it or _problem(archive.with_suffix("")):
            fetch([f"{mirror}{name}" for mirror in FashionMNIST.mirrors], archive, md5, whole)
            unpack(archive, archive.with_suffix(""))
        done_before += size_bytes(archive) or 0


def _read(part: str) -> tuple[torch.Tensor, torch.Tensor]:
    from torchvision.datasets.mnist import read_image_file, read_label_file

    images = raw_folder() / f"{part}-images-idx3-ubyte"
    labels = raw_folder() / f"{part}-labels-idx1-ubyte"
    try:
        pictures, classes = read_image_file(str(images)), read_label_file(str(labels))
    except OSError as error:
        raise DatasetError(_damaged(images, error.strerror or str(error))) from error
    largest = int(classes.max())
    if largest >= SPEC.num_classes:
        raise DatasetError(_damaged(labels, f"it holds the label {largest}"))
    return pictures[:, None].contiguous(), classes


def _first_bytes(path: Path, count: int) -> bytes:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(count)
    return b""


def _damaged(path: Path, what: str) -> str:
    return f"Fashion-MNIST is damaged: {path} ({what}). {again('fashion_mnist')}"


SPEC = DatasetSpec(
    name="fashion_mnist",
    title="Fashion-MNIST",
    description="Grey pictures of clothes, 28×28; what the book trains on.",
    channels=1,
    image_size=28,
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    train_size=60_000,
    test_size=10_000,
    source="Zalando Research, MIT licence",
    load=load,
    state=state,
    mend=mend,
)
