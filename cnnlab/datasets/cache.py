"""`shapes` on disk, so that it is drawn once and read afterwards."""

import contextlib
import zlib
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from cnnlab.atomic import replacing
from cnnlab.datasets import shapes
from cnnlab.datasets.dataset import Dataset, DatasetSpec, State
from cnnlab.datasets.download import Progress
from cnnlab.folders import cache_folder

VERSION = 4
TRAIN_SIZE, TEST_SIZE = 12_000, 2_000
TRAIN_SEED, TEST_SEED = 0, 1
CHECKSUM = "crc32"


def load_shapes(_progress: Progress | None = None) -> Dataset:
    """The embedded set: from the cache, or drawn and cached where the folder can be written."""
    path = cache_file()
    tensors = _read(path)
    if tensors is None:
        tensors = _draw()
        _write(path, tensors)
    return Dataset(**tensors, class_names=tuple(shapes.SHAPES))


def state() -> State:
    """Always ready: what is not in the cache is drawn."""
    return State("ready", "Shapes are drawn on this machine; no download.")


def cache_file() -> Path:
    """One file for each version of the drawing code and of PyTorch's random numbers."""
    release = torch.__version__.split("+")[0]
    return cache_folder() / f"shapes-{VERSION}-torch-{release}.safetensors"


def _draw() -> dict[str, torch.Tensor]:
    train_images, train_labels = shapes.render(TRAIN_SIZE, TRAIN_SEED)
    test_images, test_labels = shapes.render(TEST_SIZE, TEST_SEED)
    return {
        "train_images": train_images,
        "train_labels": train_labels,
        "test_images": test_images,
        "test_labels": test_labels,
    }


def _read(path: Path) -> dict[str, torch.Tensor] | None:
    """What the file holds, or None where it is absent or not what was written."""
    try:
        with safe_open(path, framework="pt") as file:
            written = (file.metadata() or {}).get(CHECKSUM)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None
    return tensors if written == checksum(tensors) else None


def _write(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    # A folder that cannot be written only costs the time to draw again.
    with contextlib.suppress(OSError, SafetensorError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            save_file(tensors, partial, metadata={CHECKSUM: checksum(tensors)})


def checksum(tensors: dict[str, torch.Tensor]) -> str:
    """A number that changes with any name, type, shape or value."""
    value = 0
    for name, tensor in sorted(tensors.items()):
        value = zlib.crc32(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode(), value)
        value = zlib.crc32(tensor.contiguous().view(torch.uint8).numpy().data, value)
    return f"{value:08x}"


SPEC = DatasetSpec(
    name="shapes",
    title="Shapes",
    description="Coloured shapes on cluttered backgrounds, 64×64; drawn here, no download.",
    channels=3,
    image_size=shapes.SIZE,
    class_names=tuple(shapes.SHAPES),
    train_size=TRAIN_SIZE,
    test_size=TEST_SIZE,
    source="drawn by CNN Lab, MIT licence",
    load=load_shapes,
    state=state,
)
