"""What is derived never goes to the folder of the data sets, which can be shared or read-only."""

from pathlib import Path

import pytest

from cnnlab import datasets, folders
from cnnlab.datasets import cache, shapes
from cnnlab.training import timing_cache
from cnnlab.training.timing_cache import StepTimes


def test_drawn_pictures_and_speeds_go_to_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, derived = tmp_path / "data", tmp_path / "cache"
    data.mkdir()
    monkeypatch.setenv("CNNLAB_DATA", str(data))
    monkeypatch.setenv("CNNLAB_CACHE", str(derived))
    monkeypatch.setattr(cache, "TRAIN_SIZE", 10)
    monkeypatch.setattr(cache, "TEST_SIZE", 10)
    monkeypatch.setattr(shapes, "CHUNK", 1)
    datasets.load("shapes")
    timing_cache.keep("a run", StepTimes(seconds={"float32, channels last": 1.0}))
    assert list(data.iterdir()) == []
    assert {cache.cache_file(), timing_cache.path()} == set(derived.iterdir())


def test_folders_are_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("CNNLAB_DATA", "CNNLAB_CACHE", "CNNLAB_HOME"):
        monkeypatch.setenv(variable, "here")
    found = (folders.data_folder(), folders.cache_folder(), folders.home_folder())
    assert found == (Path("here").absolute(),) * 3
