"""Data sets whose files are cut, changed or in the way: a sentence, or drawn again, never more."""

import pickle
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torchvision.datasets import CIFAR10

from cnnlab import datasets
from cnnlab.datasets import __main__ as command
from cnnlab.datasets import cache, shapes
from cnnlab.errors import DatasetError
from tests.dataset_files import (
    SmallCifar,
    SmallFashion,
    idx,
    md5,
    names_in,
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


@pytest.fixture(scope="module")
def few_shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """Twenty training and ten test pictures, drawn without a cache."""
    patch = pytest.MonkeyPatch()
    patch.setattr(cache, "TRAIN_SIZE", 20)
    patch.setattr(cache, "TEST_SIZE", 10)
    patch.setenv("CNNLAB_DATA", str(tmp_path_factory.mktemp("drawn")))
    dataset = cache.load_shapes()
    patch.undo()
    return tensors_of(dataset)


@pytest.fixture
def cached(
    few_shapes: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Path:
    """Where the cache is looked for; drawing gives the few pictures and is counted there."""
    parts = {
        cache.TRAIN_SEED: ("train_images", "train_labels"),
        cache.TEST_SEED: ("test_images", "test_labels"),
    }

    def render(_count: int, seed: int) -> tuple[torch.Tensor, ...]:
        return tuple(few_shapes[name].clone() for name in parts[seed])

    monkeypatch.setattr(shapes, "render", render)
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    return cache.cache_file()


def tensors_of(dataset: datasets.Dataset) -> dict[str, torch.Tensor]:
    return {name: value for name, value in vars(dataset).items() if torch.is_tensor(value)}


def check_shapes(few_shapes: dict[str, torch.Tensor]) -> None:
    loaded = tensors_of(datasets.load("shapes"))
    assert cache.checksum(loaded) == cache.checksum(few_shapes)


def error_of(name: str) -> str:
    with pytest.raises(DatasetError) as caught:
        datasets.load(name)
    return str(caught.value)


# The cache of `shapes`


def write_cache(path: Path, few_shapes: dict[str, torch.Tensor]) -> bytes:
    check_shapes(few_shapes)
    return path.read_bytes()


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 100, 4_000, -1])
def test_a_cache_that_was_cut_is_drawn_again_and_mended(
    kept: int, cached: Path, few_shapes: dict[str, torch.Tensor]
) -> None:
    whole = write_cache(cached, few_shapes)
    cached.write_bytes(whole[:kept])
    check_shapes(few_shapes)
    assert cached.read_bytes() == whole


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_changed_byte_of_the_cache_is_noticed(
    data: st.DataObject, cached: Path, few_shapes: dict[str, torch.Tensor]
) -> None:
    whole = write_cache(cached, few_shapes)
    header = 8 + int.from_bytes(whole[:8], "little")
    # Half of the changes hit the header, where they do the oddest things.
    last = data.draw(st.sampled_from([header, len(whole)]))
    at = data.draw(st.integers(0, last - 1))
    changed = data.draw(st.integers(0, 255))
    cached.write_bytes(whole[:at] + bytes([changed]) + whole[at + 1 :])
    check_shapes(few_shapes)


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"train_images": torch.zeros(1)},
        {"images": torch.zeros(2, 3, dtype=torch.bfloat16), "labels": torch.zeros(())[None]},
    ],
)
def test_a_file_with_something_else_in_it_is_drawn_again(
    other: dict[str, torch.Tensor], cached: Path, few_shapes: dict[str, torch.Tensor]
) -> None:
    cached.parent.mkdir(parents=True, exist_ok=True)
    save_file(other, cached, metadata={cache.CHECKSUM: "12345678"})
    check_shapes(few_shapes)
    save_file(other, cached)
    check_shapes(few_shapes)


def test_tensors_under_each_others_names_are_noticed(
    cached: Path, few_shapes: dict[str, torch.Tensor]
) -> None:
    names = list(few_shapes)
    swapped = dict(zip(names, [few_shapes[name] for name in reversed(names)], strict=True))
    save_file(swapped, cached, metadata={cache.CHECKSUM: cache.checksum(few_shapes)})
    check_shapes(few_shapes)


def test_a_cache_folder_that_cannot_be_written(
    cached: Path,
    few_shapes: dict[str, torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "file"))
    check_shapes(few_shapes)
    assert not cached.exists()


def test_a_folder_in_the_place_of_the_cache(
    cached: Path, few_shapes: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    cached.mkdir(parents=True)
    check_shapes(few_shapes)
    assert names_in(tmp_path) == set()


@pytest.mark.parametrize("step", ["save_file", "replace"])
def test_a_disk_that_fills_up_while_the_cache_is_written(
    step: str,
    cached: Path,
    few_shapes: dict[str, torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        if step == "save_file":
            disk.setattr(cache, "save_file", full)
        else:
            disk.setattr("cnnlab.datasets.atomic.os.replace", full)
        check_shapes(few_shapes)
    assert names_in(tmp_path) == set()
    check_shapes(few_shapes)
    assert names_in(tmp_path) == {cached.name}


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
    assert found.message.endswith("Delete it and download the set again.")


# CIFAR-10


@pytest.mark.parametrize("name", ["data_batch_2", "test_batch", "batches.meta"])
@pytest.mark.parametrize("kept", [0, 50, -1])
def test_a_cifar_batch_that_was_cut(name: str, kept: int, cifar: SmallCifar) -> None:
    (cifar.folder / name).write_bytes(cifar.files[name][:kept])
    message = error_of("cifar10")
    assert str(cifar.folder / name) in message
    assert "its checksum is wrong" in message
    assert f"Delete the folder {cifar.folder} and download the set again." in message


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


def run_command(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("sys.argv", ["cnnlab.datasets", name])
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
