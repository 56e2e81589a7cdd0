"""A disk that takes no more bytes: what was there stays, the rest goes on, later it works again.

The file of runs is in test_store_faults.py, downloads in test_datasets_download.py.
"""

import contextlib
import errno
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnlab import datasets
from cnnlab.datasets import cache
from cnnlab.errors import TrainingError
from cnnlab.runs import export
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig, checkpoint, timing_cache, train
from cnnlab.training.events import Event, Finished
from cnnlab.training.timing_cache import StepTimes
from tests.present import present
from tests.unit.run_server import progress

pytestmark = pytest.mark.usefixtures("few_pictures")

CONFIG = RunConfig(network="lenet", train_size=256, batch_size=128, epochs=1)
TIMES = StepTimes(seconds={"a": 1.0})


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """The system refuses to let any file of this process grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def last(path: Path) -> Event:
    return list(train(CONFIG, save_to=path))[-1]


def test_a_run_ends_well_without_its_weights_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "weights" / "run.safetensors"
    earlier = last(path)
    assert isinstance(earlier, Finished)
    assert earlier.weights == str(path)
    kept = path.read_bytes()
    with full_disk():
        ended = last(path)
    assert isinstance(ended, Finished)
    assert ended.weights is None
    assert ended.note is not None
    assert "The weights could not be saved" in ended.note
    assert ended.test_accuracy is not None
    # Neither half a file nor the loss of the one that was there.
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == kept
    checkpoint.load(path)
    again = last(path)
    assert isinstance(again, Finished)
    assert (again.weights, again.note) == (str(path), None)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(timing_cache, "_known", {})
    return tmp_path


def test_measured_times_are_kept_in_memory_and_written_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timing_cache.keep("first", TIMES)
    with full_disk():
        for number in range(20):
            assert timing_cache.keep(f"run {number}", TIMES) == TIMES
        assert len(timing_cache.read()) == 21
    assert [file.name for file in folder.iterdir()] == ["speeds.json"]
    timing_cache.keep("last", TIMES)
    monkeypatch.setattr(timing_cache, "_known", {})
    assert len(timing_cache.read()) == 22


def test_shapes_are_drawn_without_a_cache_and_cached_later(folder: Path) -> None:
    with full_disk():
        drawn = datasets.load("shapes")
    assert list(folder.iterdir()) == []
    assert len(datasets.load("shapes").train_labels) == len(drawn.train_labels)
    assert [file.name for file in folder.iterdir()] == [cache.cache_file().name]


def test_a_cache_folder_that_is_none_only_costs_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").write_text("in the way")
    monkeypatch.setenv("CNNLAB_CACHE", str(folder / "file" / "cache"))
    ended = last(folder / "run.safetensors")
    assert isinstance(ended, Finished)
    assert ended.weights is not None
    assert (folder / "file").read_text() == "in the way"


def test_an_export_that_needs_the_disk_says_what_can_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = RunStore(tmp_path)
    run = store.add(CONFIG, "ann", "lenet", "run")
    store.append(run, [progress(1)])
    found = [(present(store.run(run)), store.curve(run))]
    with monkeypatch.context() as full:
        full.setattr(tempfile, "TemporaryDirectory", refuse)
        with pytest.raises(TrainingError, match=r"No space left.*take CSV or JSON"):
            export.runs_tensorboard(found)
        assert export.runs_csv(found)
    assert export.runs_tensorboard(found)
    store.close()
