"""Downloaded sets whose files are cut, changed or foreign: a sentence that names the file."""

import pickle
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torchvision.datasets import CIFAR10

from cnnlab import datasets
from cnnlab.datasets import __main__ as command
from cnnlab.errors import DatasetError
from tests.dataset_files import (
    SmallCifar,
    SmallFashion,
    idx,
    md5,
    small_cifar,
    small_fashion,
)

IMAGES, LABELS = "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


@pytest.fixture
def fashion(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SmallFashion:
    small = small_fashion(monkeypatch, tmp_path)
    small.write()
    return small


@pytest.fixture
def cifar(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SmallCifar:
    small = small_cifar(monkeypatch, tmp_path)
    small.write()
    return small


def error_of(name: str) -> str:
    with pytest.raises(DatasetError) as caught:
        datasets.load(name)
    return str(caught.value)


# Fashion-MNIST


def changed_header(fashion: SmallFashion, name: str, *numbers: int) -> None:
    raw = (fashion.folder / name).read_bytes()
    header = struct.pack(f">{len(numbers)}i", *numbers)
    (fashion.folder / name).write_bytes(header + raw[len(header) :])


@pytest.mark.parametrize("name", [IMAGES, LABELS])
@pytest.mark.parametrize("kept", [0, 3, 9, -1])
def test_an_idx_file_that_was_cut(name: str, kept: int, fashion: SmallFashion) -> None:
    file = fashion.folder / name
    file.write_bytes(file.read_bytes()[:kept])
    check_named(fashion, name)


@pytest.mark.parametrize("name", [IMAGES, LABELS])
def test_an_idx_file_that_is_too_long(name: str, fashion: SmallFashion) -> None:
    with (fashion.folder / name).open("ab") as file:
        file.write(b"more")
    check_named(fashion, name)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        (IMAGES, (0x0000,)),
        (IMAGES, (0x0903,)),  # signed bytes: as many of them
        (IMAGES, (0x0A03,)),  # a type that the format does not have
        (IMAGES, (0x0D03,)),  # floats
        (IMAGES, (0x0804,)),
        (IMAGES, (0x0803, 60, 14, 28)),  # as many bytes in other shapes
        (IMAGES, (0x0803, 30, 56, 14)),
        (IMAGES, (0x0803, -30, 28, 28)),
        (LABELS, (0x0803,)),
        (LABELS, (0x0801, 11)),
    ],
)
def test_an_idx_header_that_is_wrong(
    name: str, numbers: tuple[int, ...], fashion: SmallFashion
) -> None:
    changed_header(fashion, name, *numbers)
    check_named(fashion, name)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(0, 15), change=st.integers(1, 255))
def test_any_changed_byte_of_the_header_is_noticed(
    at: int, change: int, fashion: SmallFashion
) -> None:
    fashion.write()
    raw = bytearray((fashion.folder / IMAGES).read_bytes())
    raw[at] ^= change
    (fashion.folder / IMAGES).write_bytes(raw)
    check_named(fashion, IMAGES)


def test_a_label_without_a_class(fashion: SmallFashion) -> None:
    labels = fashion.arrays[LABELS].copy()
    labels[3] = 10
    (fashion.folder / LABELS).write_bytes(idx(labels))
    message = error_of("fashion_mnist")
    assert str(fashion.folder / LABELS) in message
    assert "the label 10" in message


def test_a_folder_in_the_place_of_a_file(fashion: SmallFashion) -> None:
    (fashion.folder / IMAGES).unlink()
    (fashion.folder / IMAGES).mkdir()
    assert datasets.state("fashion_mnist").status == "not downloaded"


def check_named(fashion: SmallFashion, name: str) -> None:
    """The same sentence in the sidebar and as an error: the file, and what to do."""
    found = datasets.state("fashion_mnist")
    assert found.status == "damaged"
    assert error_of("fashion_mnist") == found.message
    assert str(fashion.folder / name) in found.message
    assert "`python -m cnnlab.datasets fashion_mnist --again`" in found.message


# CIFAR-10


@pytest.mark.parametrize("name", ["data_batch_2", "test_batch", "batches.meta"])
@pytest.mark.parametrize("kept", [0, 50, -1])
def test_a_cifar_batch_that_was_cut(name: str, kept: int, cifar: SmallCifar) -> None:
    (cifar.folder / name).write_bytes(cifar.files[name][:kept])
    message = error_of("cifar10")
    assert str(cifar.folder / name) in message
    assert "its checksum is wrong" in message
    assert "`python -m cnnlab.datasets cifar10 --again`" in message


@pytest.mark.parametrize("name", ["data_batch_1", "test_batch", "batches.meta"])
def test_a_strangers_pickle_is_never_opened(name: str, cifar: SmallCifar, tmp_path: Path) -> None:
    trace = tmp_path / "opened"

    class Harmful:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (trace,))

    harmful = pickle.dumps(Harmful())
    (cifar.folder / name).write_bytes(harmful)
    assert str(cifar.folder / name) in error_of("cifar10")
    assert not trace.exists()
    pickle.loads(harmful)  # it would have left its trace
    assert trace.exists()


def test_an_archive_without_a_batch(
    cifar: SmallCifar, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The published archive is whole; a changed list of files must still end in a sentence."""
    (tmp_path / CIFAR10.filename).write_bytes(cifar.archive)
    listed = [*CIFAR10.train_list, ["data_batch_6", md5(b"")]]
    monkeypatch.setattr(CIFAR10, "train_list", listed)
    message = error_of("cifar10")
    assert str(cifar.folder / "data_batch_6") in message
    assert "missing" in message


# The command


def run_command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["cnnlab.datasets", *arguments])
    command.main()


def test_the_command_says_what_is_there(
    fashion: SmallFashion, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command(monkeypatch, "fashion_mnist")
    said = capsys.readouterr().out
    assert "Fashion-MNIST: 30 training and 10 test pictures." in said
    assert str(fashion.folder) in said


def test_the_command_ends_with_a_sentence(
    fashion: SmallFashion, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fashion.folder / LABELS).write_bytes(b"")
    with pytest.raises(SystemExit) as ended:
        run_command(monkeypatch, "fashion_mnist")
    assert datasets.state("fashion_mnist").message in str(ended.value.code)


def test_the_text_of_the_progress_bar() -> None:
    assert command.bar(0, 2_000_000) == f"[{'.' * 30}] 0.0 of 2.0 MB"
    assert command.bar(1_000_000, 2_000_000) == f"[{'#' * 15}{'.' * 15}] 1.0 of 2.0 MB"
    assert command.bar(2_000_000, 2_000_000) == f"[{'#' * 30}] 2.0 of 2.0 MB"
    assert command.bar(1_000_000, None).strip() == "1.0 MB"
