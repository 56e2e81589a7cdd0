"""What a run says of each test picture: told after each evaluation, kept, and counted by class."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnlab.datasets.augment import Augment, prepare
from cnnlab.errors import TrainingError
from cnnlab.runs.confusion import Confusion
from cnnlab.runs.predicted import PredictedClasses, unpacked
from cnnlab.runs.store import RunStore
from cnnlab.training import checkpoint, loop, train
from cnnlab.training.evaluation import confidence
from cnnlab.training.events import (
    MOST_PREDICTED,
    Cancelled,
    Evaluation,
    Event,
    Finished,
    Predicted,
    from_json,
)
from tests.present import present
from tests.unit.probing import CONFIG, small_data

DATA = small_data()
LABELS = DATA.test_labels.numpy()


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Event], Path]]:
    """A run's events, and where its weights are."""
    path, patch = tmp_path_factory.mktemp("run") / "weights.safetensors", pytest.MonkeyPatch()
    patch.setattr(loop, "resident", lambda _name, _device: DATA)
    yield list(train(CONFIG, save_to=path)), path
    patch.undo()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path)
    yield store
    store.close()


def said(events: list[Event]) -> list[Predicted]:
    return [event for event in events if isinstance(event, Predicted)]


def numbers(event: Predicted) -> PredictedClasses:
    return unpacked(event.step, event.classes, event.confidence)


def logits(path: Path) -> Tensor:
    """What the saved network says, by a way of its own."""
    model, config = checkpoint.load(path)[:2]
    random = torch.Generator()
    batch = prepare(DATA.test_images, CONFIG.image_size, Augment(), random)
    assert config.network == "lenet"
    with torch.inference_mode():
        answer: Tensor = model.eval()(batch)
    return answer


def test_answers_are_those_of_the_saved_weights(ended: tuple[list[Event], Path]) -> None:
    events, path = ended
    found = numbers(said(events)[-1])
    shares = logits(path).softmax(1)
    assert found.classes.tolist() == shares.argmax(1).tolist()
    np.testing.assert_allclose(found.confidence, shares.amax(1).numpy(), atol=0.003)


def test_every_evaluation_is_followed_by_its_answers(ended: tuple[list[Event], Path]) -> None:
    events, _ = ended
    assert len(said(events)) == sum(isinstance(event, Evaluation) for event in events) > 1
    for before, event in pairwise(events):
        if isinstance(event, Predicted):
            assert isinstance(before, Evaluation)
            accuracy = float((numbers(event).classes == LABELS).mean())
            assert before.step == event.step
            assert before.test_accuracy == pytest.approx(accuracy)
    ending = events[-1]
    assert isinstance(ending, Finished)
    counts = np.bincount(numbers(said(events)[-1]).classes, minlength=10)
    assert ending.named == tuple(counts.tolist())


def test_they_travel_as_json_and_are_not_printed(ended: tuple[list[Event], Path]) -> None:
    event = said(ended[0])[-1]
    assert from_json(event.model_dump_json()) == event
    assert len(repr(event)) < 100


def test_a_stopped_run_has_those_of_its_last_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "resident", lambda _name, _device: DATA)
    steps = iter(range(1000))
    events = list(train(CONFIG, should_stop=lambda: next(steps) > 8))
    assert isinstance(events[-1], Cancelled)
    last = [event for event in events if isinstance(event, Evaluation)][-1]
    assert said(events)[-1].step == last.step < events[-1].step


def test_what_is_no_number_is_no_confidence() -> None:
    given = torch.tensor([[torch.nan, 1.0], [torch.inf, 0.0], [0.0, 0.0], [9.0, -9.0]])
    assert confidence(given).tolist() == [0, 0, 128, 255]


def test_of_many_test_pictures_the_first_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "resident", lambda _name, _device: DATA)
    monkeypatch.setattr("cnnlab.training.run_state.MOST_PREDICTED", 30)
    few = numbers(said(list(train(CONFIG)))[-1])
    assert len(few.classes) == len(few.confidence) == 30
    with pytest.raises(ValueError, match="confidence"):
        Predicted(
            step=1,
            epoch=1,
            elapsed_s=1,
            classes=b"",
            confidence=bytes(MOST_PREDICTED + 1),
        )


def test_the_store_keeps_the_last_and_forgets_it_with_the_run(
    store: RunStore, ended: tuple[list[Event], Path]
) -> None:
    run = store.add(CONFIG, "me", "vgg", "LeNet")
    assert store.predicted(run) is None
    found = said(ended[0])
    store.append(run, found[:1])
    store.append(run, found[1:])
    kept = present(store.predicted(run))
    assert kept.step == found[-1].step
    assert kept.classes.tolist() == numbers(found[-1]).classes.tolist()
    store.delete(run)
    assert store.predicted(run) is None
    store.append(run, found)
    assert store.predicted(run) is None


def confusion(truth: list[int], named: list[int], sure: list[float]) -> Confusion:
    classes = np.array(named, np.int64)
    found = PredictedClasses(5, classes, np.array(sure, np.float64))
    return Confusion(np.array(truth, np.int64), found, 3)


def test_rows_sum_to_the_pictures_of_a_class(ended: tuple[list[Event], Path]) -> None:
    found = Confusion(LABELS, numbers(said(ended[0])[-1]), 10)
    assert found.matrix.sum(1).tolist() == np.bincount(LABELS, minlength=10).tolist()
    assert found.right == (found.said.classes == LABELS).sum()
    assert found.accuracies == pytest.approx(found.matrix.diagonal() / found.matrix.sum(1))


def test_pictures_come_with_the_surest_first() -> None:
    found = confusion([0, 0, 1, 1, 0], [1, 0, 1, 0, 1], [0.4, 0.9, 0.5, 0.8, 0.6])
    assert found.matrix.tolist() == [[1, 2, 0], [1, 1, 0], [0, 0, 0]]
    assert found.accuracies[:2] == pytest.approx([1 / 3, 1 / 2])
    assert np.isnan(found.accuracies[2])
    assert found.pictures(None, "wrong").tolist() == [3, 4, 0]
    assert found.pictures(None, "right").tolist() == [1, 2]
    assert found.pictures(0, 1).tolist() == [4, 0]
    assert found.pictures(None, 1).tolist() == [4, 2, 0]
    assert found.pictures(2, "wrong").tolist() == []


@pytest.mark.parametrize(("named", "labels"), [([0, 3], 2), ([0, 1, 2], 2)])
def test_answers_to_other_pictures_are_refused(named: list[int], labels: int) -> None:
    with pytest.raises(TrainingError, match="Train again"):
        confusion([0] * labels, named, [0.5] * len(named))


def test_of_the_first_pictures_only_these_count() -> None:
    assert confusion([0, 1, 2], [0, 2], [0.5, 0.5]).matrix.sum() == 2
