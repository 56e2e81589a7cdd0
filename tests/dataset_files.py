"""Small files in the published formats, for the tests of the data sets."""

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import CIFAR10, FashionMNIST

from cnnlab import datasets
from cnnlab.datasets import cifar10, fashion_mnist

PARTS = ("train", "t10k")


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def idx(array: np.ndarray) -> bytes:
    """An array of bytes as an IDX file."""
    return struct.pack(f">{1 + array.ndim}i", 0x0800 + array.ndim, *array.shape) + array.tobytes()


@dataclass(frozen=True)
class SmallFashion:
    """Thirty training and ten test pictures, as arrays, raw files and archives."""

    folder: Path
    arrays: dict[str, np.ndarray]
    archives: dict[str, bytes]

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, array in self.arrays.items():
            (self.folder / name).write_bytes(idx(array))


def small_fashion(patch: pytest.MonkeyPatch, data: Path) -> SmallFashion:
    """The set cut down, and the library told to expect just that in `data`."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part, count in zip(PARTS, (30, 10), strict=True):
        pictures = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        arrays[f"{part}-images-idx3-ubyte"] = pictures
        arrays[f"{part}-labels-idx1-ubyte"] = np.arange(count, dtype=np.uint8) % 10
    archives = {f"{name}.gz": gzip.compress(idx(a), mtime=0) for name, a in arrays.items()}
    spec = fashion_mnist.SPEC
    patch.setenv("CNNLAB_DATA", str(data))
    patch.setattr(fashion_mnist, "SPEC", replaced(spec, train_size=30, test_size=10))
    patch.setattr(fashion_mnist, "DOWNLOAD_BYTES", sum(map(len, archives.values())))
    patch.setattr(FashionMNIST, "resources", [(n, md5(raw)) for n, raw in archives.items()])
    return SmallFashion(data / "FashionMNIST" / "raw", arrays, archives)


@dataclass(frozen=True)
class SmallCifar:
    """Five batches of four training pictures and one of three test pictures."""

    folder: Path
    files: dict[str, bytes]
    pictures: dict[str, np.ndarray]
    archive: bytes

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, raw in self.files.items():
            (self.folder / name).write_bytes(raw)


def small_cifar(patch: pytest.MonkeyPatch, data: Path) -> SmallCifar:
    """The set cut down, and the library told to expect just that in `data`."""
    rng = np.random.default_rng(1)
    pictures = {}
    files = {}
    for name, _ in [*CIFAR10.train_list, *CIFAR10.test_list]:
        count = 3 if name == "test_batch" else 4
        pictures[name] = rng.integers(0, 256, (count, 3072), dtype=np.uint8)
        batch = {"data": pictures[name], "labels": [i % 10 for i in range(count)]}
        files[name] = pickle.dumps(batch)
    files["batches.meta"] = pickle.dumps({"label_names": list(cifar10.SPEC.class_names)})
    archive = tar_gz({f"{CIFAR10.base_folder}/{name}": raw for name, raw in files.items()})
    patch.setenv("CNNLAB_DATA", str(data))
    patch.setattr(CIFAR10, "train_list", [[n, md5(files[n])] for n, _ in CIFAR10.train_list])
    patch.setattr(CIFAR10, "test_list", [[n, md5(files[n])] for n, _ in CIFAR10.test_list])
    patch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": md5(files["batches.meta"])})
    patch.setattr(CIFAR10, "tgz_md5", md5(archive))
    return SmallCifar(data / CIFAR10.base_folder, files, pictures, archive)


def tar_gz(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, raw in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return buffer.getvalue()


def replaced(spec: datasets.DatasetSpec, **fields: int) -> datasets.DatasetSpec:
    return datasets.DatasetSpec(**{**vars(spec), **fields})


def names_in(folder: Path) -> set[str]:
    """Every file below a folder, by its name."""
    return {path.name for path in folder.rglob("*") if path.is_file()}
