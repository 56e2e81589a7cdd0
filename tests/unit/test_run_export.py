"""Runs as CSV, JSON and event files."""

import csv
import io
import json
import math
import zipfile
from pathlib import Path

import pytest

from cnnlab.errors import TrainingError
from cnnlab.runs import export
from cnnlab.runs.store import Curve, RunRecord, RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.events import Evaluation, Progress

CONFIG = RunConfig(network="lenet", epochs=2, train_size=1000)
LOSSES = (2.5, math.nan, math.inf, 0.5)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


def made(store: RunStore, name: str = "LeNet, run 1") -> tuple[RunRecord, Curve]:
    """A run with four training points and two evaluations."""
    run = store.add(CONFIG, "visitor-secret", "vgg", name)
    points: list[Progress | Evaluation] = [
        Progress(
            step=step,
            epoch=step / 2,
            elapsed_s=step * 0.25,
            train_loss=loss,
            train_accuracy=0.25,
            lr=0.1,
            images_per_s=100,
            eta_s=0,
        )
        for step, loss in enumerate(LOSSES, 1)
    ]
    points += [
        Evaluation(step=2 * n, epoch=n, elapsed_s=n, test_loss=1 / n, test_accuracy=n / 4)
        for n in (1, 2)
    ]
    store.append(run, points)
    store.ended(run, "finished")
    record = store.run(run)
    assert record is not None
    return record, store.curve(run)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_every_point(store: RunStore) -> None:
    found = rows(export.runs_csv([made(store)]))
    training = [row for row in found if row["split"] == "training"]
    test = [row for row in found if row["split"] == "test"]
    assert [row["step"] for row in training] == ["1", "2", "3", "4"]
    assert [row["loss"] for row in training] == ["2.5", "", "", "0.5"]
    assert [(row["epoch"], row["elapsed_s"], row["accuracy"]) for row in test] == [
        ("1.0", "1.0", "0.25"),
        ("2.0", "2.0", "0.5"),
    ]
    assert {row["run"] for row in found} == {"LeNet, run 1"}


def test_csv_of_several_has_one_header(store: RunStore) -> None:
    found = rows(export.runs_csv([made(store, "one"), made(store, "two")]))
    assert [row["run"] for row in found] == ["one"] * 6 + ["two"] * 6


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_spreadsheet_computes_a_name(store: RunStore, name: str) -> None:
    assert {row["run"] for row in rows(export.runs_csv([made(store, name)]))} == {"'" + name}


@pytest.mark.parametrize("name", ["\t=1", "a\r=1", "a\n=1", "a\x0b=1", "a\u2028=1", "\u202e=1"])
def test_no_name_ends_a_row(store: RunStore, name: str) -> None:
    """A row that a name begins could begin with a formula."""
    text = export.runs_csv([made(store, name)])
    assert len(text.splitlines()) == 1 + len(rows(text))
    assert {row["run"] for row in rows(text)} == {"a =1" if name.startswith("a") else "'=1"}


def strictly(text: str) -> object:
    """What strict JSON says; Python's own reader would let NaN pass."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_json_is_strict_and_complete(store: RunStore) -> None:
    record, curve = made(store)
    found = strictly(export.run_json(record, curve))
    assert isinstance(found, dict)
    assert found["points"]["training"]["loss"] == [2.5, None, None, 0.5]
    assert found["points"]["test"]["accuracy"] == [0.25, 0.5]
    assert RunConfig(**found["config"]) == CONFIG
    assert found["queued"].endswith("+00:00")
    assert found["started"] is None


def test_json_with_nan_in_memory(store: RunStore) -> None:
    record, _ = made(store)
    curve = Curve([1], [0.5], [0.1], [math.nan], [-math.inf])
    found = strictly(export.runs_json([(record, curve)]))
    assert isinstance(found, list)
    assert found[0]["points"]["training"]["loss"] == [None]
    assert found[0]["points"]["training"]["accuracy"] == [None]


def test_no_secret_leaves(store: RunStore) -> None:
    record, curve = made(store)
    token = store.share(record.id)
    shared = store.by_token(token)
    assert shared is not None
    for text in (export.run_json(shared, curve), export.runs_csv([(shared, curve)])):
        assert token not in text
        assert "visitor-secret" not in text
        assert str(store.home) not in text


def test_a_run_without_points(store: RunStore) -> None:
    record, _ = made(store)
    assert rows(export.runs_csv([(record, Curve())])) == []
    found = strictly(export.run_json(record, Curve()))
    assert isinstance(found, dict)
    assert found["points"]["training"]["step"] == []


def test_a_file_name_is_one_everywhere(store: RunStore) -> None:
    record, _ = made(store, "../Ünï: a/b\\c?")
    assert export.file_name(record.name, record.id) == f"n-a-b-c-{record.id[:6]}"


def test_event_files(store: RunStore, tmp_path: Path) -> None:
    """TensorBoard itself reads back every point."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    runs, folder = [made(store, "one"), made(store, "two")], tmp_path / "events"
    zipfile.ZipFile(io.BytesIO(export.runs_tensorboard(runs))).extractall(folder)
    assert {path.name for path in folder.iterdir()} == {
        export.file_name(run.name, run.id) for run, _ in runs
    }
    record, curve = runs[0]
    events = EventAccumulator(str(folder / export.file_name(record.name, record.id)))
    events.Reload()
    (tag,) = [tag for tag in events.Tags()["scalars"] if "train" in tag and "loss" in tag]
    points = events.Scalars(tag)
    assert [point.step for point in points] == list(curve.steps)
    assert [point.value for point in points] == pytest.approx(
        list(curve.train_loss), rel=1e-6, nan_ok=True
    )


def test_event_files_need_the_package(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "has_tensorboard", lambda: False)
    with pytest.raises(TrainingError, match="pip install tensorboard"):
        export.runs_tensorboard([made(store)])
