"""Data sets by download: from a server on this machine, with everything that can go wrong."""

import gzip
import hashlib
import io
import os
import pickle
import struct
import tarfile
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10, FashionMNIST

from cnnlab import datasets
from cnnlab.datasets import cifar10, fashion_mnist
from cnnlab.datasets.download import fetch
from cnnlab.errors import DatasetError

PROJECT = Path(__file__).parents[2]
CONTENT = bytes(range(256)) * 1000


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class Mirror(BaseHTTPRequestHandler):
    """Gives `server.files`; those under /cut/ break off in the middle, /chunked/ have no length."""

    def do_GET(self):
        self.server.asked.append(self.path)
        kind, _, name = self.path[1:].rpartition("/")
        if name not in self.server.files:
            self.send_error(404)
            return
        content = self.server.files[name]
        self.send_response(200)
        if kind != "chunked":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if kind == "cut" else content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        server.files, server.asked = {"set.bin": CONTENT}, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def refusing():
    """An address where nobody listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as closed:
        return f"http://127.0.0.1:{closed.server_port}"


def test_a_file_arrives_with_progress_up_to_its_total(server, tmp_path: Path) -> None:
    seen = []
    path = tmp_path / "new" / "set.bin"
    fetch([f"{server.url}/set.bin"], path, md5(CONTENT), lambda *done: seen.append(done))
    assert path.read_bytes() == CONTENT
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert len(seen) > 1
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert list(path.parent.iterdir()) == [path]


def test_a_server_that_does_not_say_how_much_there_is(server, tmp_path: Path) -> None:
    seen = []
    fetch(
        [f"{server.url}/chunked/set.bin"],
        tmp_path / "set.bin",
        md5(CONTENT),
        lambda *done: seen.append(done),
    )
    assert seen[-1] == (len(CONTENT), None)


def test_what_is_there_already_is_not_fetched_again(server, tmp_path: Path) -> None:
    path = tmp_path / "set.bin"
    for found, asked in ((CONTENT, 0), (CONTENT[:-1], 1), (b"", 2)):
        path.write_bytes(found)
        fetch([f"{server.url}/set.bin"], path, md5(CONTENT))
        assert path.read_bytes() == CONTENT
        assert len(server.asked) == asked


@pytest.mark.parametrize(
    ("where", "checksum", "reason"),
    [
        ("set.bin", md5(b"another"), "is not the file that was asked for"),
        ("cut/set.bin", md5(CONTENT), r"broke off after 128,000 of 256,000 bytes"),
        ("none.bin", md5(CONTENT), r"no answer from 127\.0\.0\.1:\d+ \(Not Found\)"),
    ],
    ids=["wrong md5", "cut", "not found"],
)
def test_a_bad_answer_leaves_no_file(server, tmp_path: Path, where, checksum, reason) -> None:
    with pytest.raises(DatasetError, match=rf"set\.bin could not be downloaded: .*{reason}"):
        fetch([f"{server.url}/{where}"], tmp_path / "set.bin", checksum)
    assert list(tmp_path.iterdir()) == []


def test_nobody_listens(refusing, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"refused.*`shapes` needs no download"):
        fetch([f"{refusing}/set.bin"], tmp_path / "set.bin", md5(CONTENT))


def test_the_next_mirror_is_tried(server, refusing, tmp_path: Path) -> None:
    paths = ("no/xset.bin", "cut/set.bin", "set.bin", "never/set.bin")
    urls = [f"{refusing}/set.bin", *(f"{server.url}/{path}" for path in paths)]
    fetch(urls, tmp_path / "set.bin", md5(CONTENT))
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert server.asked == ["/no/xset.bin", "/cut/set.bin", "/set.bin"]


def test_every_mirror_and_its_reason_is_named(server, refusing, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"refused.*; .*broke off"):
        fetch(
            [f"{refusing}/set.bin", f"{server.url}/cut/set.bin"],
            tmp_path / "set.bin",
            md5(CONTENT),
        )


def test_a_progress_bar_that_fails_leaves_no_file(server, tmp_path: Path) -> None:
    def closed(*_):
        raise KeyError("the page is gone")

    with pytest.raises(KeyError):
        fetch([f"{server.url}/set.bin"], tmp_path / "set.bin", md5(CONTENT), closed)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"could not be written to .*CNNLAB_DATA"):
        fetch([f"{server.url}/set.bin"], tmp_path / "file" / "set.bin", md5(CONTENT))


# Fashion-MNIST -----------------------------------------------------------------------------------


def idx_files() -> dict[str, bytes]:
    """Twelve training and ten test pictures in the format of the set."""
    random = np.random.default_rng(0)
    files = {}
    for part, count in (("train", 12), ("t10k", 10)):
        pictures = random.integers(0, 256, count * 28 * 28, dtype=np.uint8).tobytes()
        labels = (np.arange(count, dtype=np.uint8) % 10).tobytes()
        header = struct.pack(">4i", 0x0803, count, 28, 28)
        files[f"{part}-images-idx3-ubyte"] = header + pictures
        files[f"{part}-labels-idx1-ubyte"] = struct.pack(">2i", 0x0801, count) + labels
    return files


@pytest.fixture
def fashion(server, folder, monkeypatch):
    """A small Fashion-MNIST on the server, nothing in the folder."""
    files = idx_files()
    archives = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in files.items()}
    server.files.update(archives)
    spec = replace(fashion_mnist.SPEC, train_size=12, test_size=10)
    monkeypatch.setattr(fashion_mnist, "SPEC", spec)
    monkeypatch.setattr(fashion_mnist, "DOWNLOAD_BYTES", sum(map(len, archives.values())))
    monkeypatch.setattr(FashionMNIST, "mirrors", [f"{server.url}/"])
    resources = [(name, md5(content)) for name, content in archives.items()]
    monkeypatch.setattr(FashionMNIST, "resources", resources)
    return folder / "FashionMNIST" / "raw"


def test_fashion_mnist_by_download(fashion, server) -> None:
    assert datasets.state("fashion_mnist").status == "not downloaded"
    seen = []
    data = datasets.load("fashion_mnist", progress=lambda *done: seen.append(done))
    assert data.train_images.shape == (12, 1, 28, 28)
    assert data.test_images.shape == (10, 1, 28, 28)
    assert (data.train_images.dtype, data.train_labels.dtype) == (torch.uint8, torch.int64)
    assert data.train_labels.tolist() == [*range(10), 0, 1]
    raw = idx_files()["t10k-images-idx3-ubyte"][16:]
    assert data.test_images.numpy().tobytes() == raw
    assert seen == sorted(seen)
    assert seen[-1] == (fashion_mnist.DOWNLOAD_BYTES, fashion_mnist.DOWNLOAD_BYTES)
    assert datasets.state("fashion_mnist").status == "ready"
    assert len(server.asked) == 4
    datasets.load("fashion_mnist")
    assert len(server.asked) == 4
    assert not list(fashion.glob("*.partial"))


@pytest.mark.usefixtures("fashion")
def test_fashion_mnist_offline_and_then_online(
    server, refusing, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as offline:
        offline.setattr(FashionMNIST, "mirrors", [f"{refusing}/"])
        with pytest.raises(DatasetError, match=r"could not be downloaded.*Check the connection"):
            datasets.load("fashion_mnist")
    assert datasets.state("fashion_mnist").status == "not downloaded"
    monkeypatch.setattr(FashionMNIST, "mirrors", [f"{refusing}/", f"{server.url}/"])
    assert len(datasets.load("fashion_mnist").train_labels) == 12


@pytest.mark.usefixtures("fashion")
def test_a_download_that_was_interrupted_goes_on_with_what_is_missing(server) -> None:
    held_back = server.files.pop("t10k-images-idx3-ubyte.gz")
    with pytest.raises(DatasetError, match=r"t10k-images-idx3-ubyte\.gz could not be downloaded"):
        datasets.load("fashion_mnist")
    assert datasets.state("fashion_mnist").status == "not downloaded"
    server.files["t10k-images-idx3-ubyte.gz"] = held_back
    server.asked.clear()
    datasets.load("fashion_mnist")
    assert "/train-images-idx3-ubyte.gz" not in server.asked


@pytest.mark.parametrize("name", idx_files())
@pytest.mark.parametrize(
    "damage",
    [lambda c: c[:-1], lambda _: b"", lambda c: b"\xff" * len(c), lambda c: c + b"x"],
    ids=["truncated", "empty", "garbage", "too long"],
)
def test_a_damaged_file_of_fashion_mnist_is_named(fashion, name: str, damage) -> None:
    datasets.load("fashion_mnist")
    path = fashion / name
    path.write_bytes(damage(path.read_bytes()))
    state = datasets.state("fashion_mnist")
    assert state.status == "damaged"
    assert str(path) in state.message
    with pytest.raises(DatasetError, match=rf"{name} .*Delete it and download the set again"):
        datasets.load("fashion_mnist")
    # As the message says.
    path.unlink()
    assert len(datasets.load("fashion_mnist").train_labels) == 12


def test_a_label_that_no_class_has(fashion) -> None:
    datasets.load("fashion_mnist")
    path = fashion / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\x0b")
    with pytest.raises(DatasetError, match=r"train-labels-idx1-ubyte \(it holds the label 11\)"):
        datasets.load("fashion_mnist")


REAL = [os.environ.get("CNNLAB_DATA"), PROJECT.parent / "shared" / "data"]


def test_the_real_fashion_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [p for p in REAL if p and (Path(p) / "FashionMNIST" / "raw").is_dir()]
    if not found:
        pytest.skip("the real Fashion-MNIST is neither in CNNLAB_DATA nor in ../shared/data")
    monkeypatch.setenv("CNNLAB_DATA", str(found[0]))
    assert datasets.state("fashion_mnist").status == "ready"
    data = datasets.load("fashion_mnist")
    assert data.train_images.shape == (60_000, 1, 28, 28)
    assert data.test_images.shape == (10_000, 1, 28, 28)
    assert torch.bincount(data.train_labels).tolist() == [6000] * 10
    assert torch.bincount(data.test_labels).tolist() == [1000] * 10
    pixels = torch.bincount(data.train_images.flatten(), minlength=256).double()
    mean = (pixels * torch.arange(256)).sum() / pixels.sum() / 255
    assert mean.item() == pytest.approx(0.2860, abs=5e-5)
    assert data.class_names[9] == "Ankle boot"


# CIFAR-10 ----------------------------------------------------------------------------------------

BATCHES = ("data_batch_1", "data_batch_2", "test_batch")


def cifar_files() -> dict[str, bytes]:
    """Two training batches and a test batch of four pictures each, and the class names."""
    random = np.random.default_rng(0)
    files = {
        name: {"data": random.integers(0, 256, (4, 3072), dtype=np.uint8), "labels": [i, 1, 2, 9]}
        for i, name in enumerate(BATCHES)
    }
    files["batches.meta"] = {"label_names": list(cifar10.SPEC.class_names)}
    return {name: pickle.dumps(content, protocol=2) for name, content in files.items()}


@pytest.fixture
def cifar(server, folder, monkeypatch):
    """A small CIFAR-10 on the server, nothing in the folder."""
    files = cifar_files()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    server.files[CIFAR10.filename] = packed.getvalue()
    monkeypatch.setattr(CIFAR10, "url", f"{server.url}/{CIFAR10.filename}")
    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(packed.getvalue()))
    lists = {name: [name, md5(content)] for name, content in files.items()}
    monkeypatch.setattr(CIFAR10, "train_list", [lists[name] for name in BATCHES[:2]])
    monkeypatch.setattr(CIFAR10, "test_list", [lists["test_batch"]])
    meta = {**CIFAR10.meta, "md5": md5(files["batches.meta"])}
    monkeypatch.setattr(CIFAR10, "meta", meta)
    return folder / "cifar-10-batches-py"


def test_cifar_10_by_download(cifar, server) -> None:
    assert datasets.state("cifar10").status == "not downloaded"
    seen = []
    data = datasets.load("cifar10", progress=lambda *done: seen.append(done))
    total = len(server.files[CIFAR10.filename])
    assert seen[-1] == (total, total)
    assert data.train_images.shape == (8, 3, 32, 32)
    assert (data.train_images.dtype, data.train_labels.dtype) == (torch.uint8, torch.int64)
    assert data.train_labels.tolist() == [0, 1, 2, 9, 1, 1, 2, 9]
    test = pickle.loads(cifar_files()["test_batch"])["data"]
    assert data.test_images.numpy().tobytes() == test.tobytes()
    assert datasets.state("cifar10").status == "ready"
    assert {path.name for path in cifar.iterdir()} == set(cifar_files())
    assert {path.name for path in cifar.parent.iterdir()} == {cifar.name, CIFAR10.filename}
    datasets.load("cifar10")
    assert len(server.asked) == 1


@pytest.mark.parametrize("where", ["cut/", "no/x"])
def test_cifar_10_cannot_be_had(cifar, server, monkeypatch: pytest.MonkeyPatch, where) -> None:
    monkeypatch.setattr(CIFAR10, "url", f"{server.url}/{where}{CIFAR10.filename}")
    with pytest.raises(DatasetError, match=r"cifar-10-python\.tar\.gz could not be downloaded"):
        datasets.load("cifar10")
    assert datasets.state("cifar10").status == "not downloaded"
    assert list(cifar.parent.iterdir()) == []


@pytest.mark.parametrize("name", cifar_files())
def test_a_damaged_batch_is_named(cifar, name: str) -> None:
    datasets.load("cifar10")
    path = cifar / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DatasetError, match=rf"{name} \(its checksum is wrong\).*Delete"):
        datasets.load("cifar10")


@pytest.mark.parametrize("name", cifar_files())
def test_a_missing_batch_comes_out_of_the_archive_again(cifar, server, name: str) -> None:
    datasets.load("cifar10")
    (cifar / name).unlink()
    assert datasets.state("cifar10").status == "not downloaded"
    datasets.load("cifar10")
    assert {path.name: path.read_bytes() for path in cifar.iterdir()} == cifar_files()
    assert len(server.asked) == 1


def test_unpacking_that_was_interrupted_leaves_no_part_of_a_batch(
    cifar, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(packed, file):
        file.write(packed.read(10))
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(cifar10.shutil, "copyfileobj", half)
        with pytest.raises(DatasetError, match="No space left"):
            datasets.load("cifar10")
    assert list(cifar.iterdir()) == []
    assert len(datasets.load("cifar10").train_labels) == 8


def test_a_batch_with_foreign_code_is_not_opened(cifar, tmp_path: Path) -> None:
    """The batches are pickles: only those with the right checksum may be read."""
    datasets.load("cifar10")
    harm = tmp_path / "harm"
    (cifar / "test_batch").write_bytes(
        b"cpathlib\nPath\n(S'" + str(harm).encode() + b"'\ntR(cpathlib\nPath.touch\n."
    )
    with pytest.raises(DatasetError, match="test_batch"):
        datasets.load("cifar10")
    assert not harm.exists()


def test_a_data_set_that_does_not_exist() -> None:
    with pytest.raises(DatasetError, match="no data set 'mnist'; there are shapes, fashion_mnist"):
        datasets.load("mnist")
