"""The data sets: one embedded, two by download, all as tensors of bytes."""

import threading
from collections import defaultdict

from cnnlab.datasets import cache, cifar10, fashion_mnist
from cnnlab.datasets.dataset import Dataset, DatasetSpec, State
from cnnlab.datasets.download import Progress
from cnnlab.errors import DatasetError

# The list of what exists: a new data set is a file with its SPEC, and an entry here.
DATASETS: dict[str, DatasetSpec] = {
    spec.name: spec for spec in (cache.SPEC, fashion_mnist.SPEC, cifar10.SPEC)
}
# Two readers who ask for the same set at once: the second waits, and finds it there.
_locks: dict[str, threading.Lock] = defaultdict(threading.Lock)


def load(name: str, *, progress: Progress | None = None) -> Dataset:
    """A whole data set; downloads or draws it where it is not there yet.

    Raises: DatasetError naming what is missing or damaged and what to do.
    """
    found = spec(name)
    with _locks[name]:
        return found.load(progress)


def mend(name: str, *, progress: Progress | None = None) -> Dataset:
    """A whole data set, of which what was damaged is downloaded again; it is loaded as a check.

    Raises: DatasetError naming what is still missing or damaged and what to do.
    """
    found = spec(name)
    with _locks[name]:
        if found.mend is not None:
            found.mend(progress)
        return found.load(progress)


def state(name: str) -> State:
    """Whether a data set can be used now; cheap enough to ask on every page.

    Raises: DatasetError for a name that is not in DATASETS.
    """
    return spec(name).state()


def spec(name: str) -> DatasetSpec:
    """The entry of a data set. Raises: DatasetError naming those that exist."""
    if name not in DATASETS:
        raise DatasetError(
            f"There is no data set {name!r}; there are {', '.join(DATASETS)}. Choose one of them."
        )
    return DATASETS[name]


__all__ = [
    "DATASETS",
    "Dataset",
    "DatasetSpec",
    "Progress",
    "State",
    "load",
    "mend",
    "spec",
    "state",
]
