"""The cached `shapes`: cut, changed, in the way or not writable, it is drawn again in silence."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from cnnlab import datasets
from cnnlab.datasets import cache, shapes
from tests.dataset_files import names_in


@pytest.fixture(scope="module")
def few_shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """Twenty training and ten test pictures, drawn without a cache."""
    patch = pytest.MonkeyPatch()
    patch.setattr(cache, "TRAIN_SIZE", 20)
    patch.setattr(cache, "TEST_SIZE", 10)
    patch.setenv("CNNLAB_CACHE", str(tmp_path_factory.mktemp("drawn")))
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
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path))
    return cache.cache_file()


def tensors_of(dataset: datasets.Dataset) -> dict[str, torch.Tensor]:
    return {name: value for name, value in vars(dataset).items() if torch.is_tensor(value)}


def check_shapes(few_shapes: dict[str, torch.Tensor]) -> None:
    loaded = tensors_of(datasets.load("shapes"))
    assert cache.checksum(loaded) == cache.checksum(few_shapes)


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
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "file"))
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
            disk.setattr("cnnlab.atomic.os.replace", full)
        check_shapes(few_shapes)
    assert names_in(tmp_path) == set()
    check_shapes(few_shapes)
    assert names_in(tmp_path) == {cached.name}
