"""Predictions in the store: one for each visitor and experiment, made before the run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnlab.errors import TrainingError
from cnnlab.runs import predictions
from cnnlab.runs.store import RunStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path)
    yield store
    store.close()


def test_a_prediction_can_be_changed_until_the_experiment_is_run(store: RunStore) -> None:
    kept = store.predictions
    kept.predict("me", "one", "first")
    kept.predict("me", "one", "second")
    assert kept.of("me")["one"].answer == "second"
    kept.begun("me", "one", "group")
    assert kept.of("me")["one"].group_id == "group"
    with pytest.raises(TrainingError, match="run already"):
        kept.predict("me", "one", "first")
    kept.forget("me", "one")
    kept.predict("me", "one", "first")
    found = kept.of("me")["one"]
    assert (found.answer, found.group_id) == ("first", None)


def test_nothing_runs_without_a_prediction(store: RunStore) -> None:
    with pytest.raises(TrainingError, match="Predict first"):
        store.predictions.begun("me", "one", "group")


def test_every_visitor_has_their_own(store: RunStore) -> None:
    store.predictions.predict("me", "one", "first")
    store.predictions.predict("you", "one", "second")
    store.predictions.forget("you", "one")
    assert store.predictions.of("me")["one"].answer == "first"
    assert store.predictions.of("you") == {}


def test_a_visitor_keeps_no_more_than_so_many(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "MOST", 2)
    for name in ("one", "two"):
        store.predictions.predict("me", name, "first")
    with pytest.raises(TrainingError, match="2 predictions"):
        store.predictions.predict("me", "three", "first")
    store.predictions.predict("me", "two", "second")


def test_they_are_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    store.predictions.predict("me", "one", "first")
    store.close()
    store = RunStore(tmp_path)
    assert store.predictions.of("me")["one"].answer == "first"
    store.close()
