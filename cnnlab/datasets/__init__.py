"""The data sets: one embedded, two by download, all as tensors of bytes."""

import threading

from cnnlab.datasets import cache, cifar10, fashion_mnist, shapes
from cnnlab.datasets.dataset import Dataset, DatasetSpec, State
from cnnlab.datasets.download import Progress
from cnnlab.errors import DatasetError
from cnnlab.folders import data_folder

SHAPES = DatasetSpec(
    name="shapes",
    title="Shapes",
    description="Coloured shapes on cluttered backgrounds, 64×64; drawn here, no download.",
    channels=3,
    image_size=shapes.SIZE,
    class_names=tuple(shapes.SHAPES),
    train_size=cache.TRAIN_SIZE,
    test_size=cache.TEST_SIZE,
    source="drawn by CNN Lab, MIT licence",
)
DATASETS: dict[str, DatasetSpec] = {
    spec.name: spec for spec in (SHAPES, fashion_mnist.SPEC, cifar10.SPEC)
}
# Two readers who ask for the same set at once: the second waits, and finds it there.
LOCKS = {name: threading.Lock() for name in DATASETS}


def load(name: str, *, progress: Progress | None = None) -> Dataset:
    """A whole data set; downloads or draws it where it is not there yet.

    Raises: DatasetError naming what is missing or damaged and what to do.
    """
    _check_name(name)
    with LOCKS[name]:
        if name == "fashion_mnist":
            return fashion_mnist.load(progress)
        if name == "cifar10":
            return cifar10.load(progress)
        return cache.load_shapes()


def state(name: str) -> State:
    """Whether a data set can be used now; cheap enough to ask on every page.

    Raises: DatasetError for a name that is not in DATASETS.
    """
    _check_name(name)
    if name == "fashion_mnist":
        return fashion_mnist.state()
    if name == "cifar10":
        return cifar10.state()
    return State("ready", "Shapes are drawn on this machine; no download.")


def _check_name(name: str) -> None:
    if name not in DATASETS:
        raise DatasetError(
            f"There is no data set {name!r}; there are {', '.join(DATASETS)}. Choose one of them."
        )


__all__ = [
    "DATASETS",
    "Dataset",
    "DatasetSpec",
    "Progress",
    "State",
    "data_folder",
    "load",
    "state",
]
