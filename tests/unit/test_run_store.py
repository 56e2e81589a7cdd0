"""The store: what is written comes back, also from two processes at once."""

import math
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnlab.errors import TrainingError
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig
from cnnlab.training.events import Evaluation, Progress
from tests.conftest import ROOT
from tests.present import present

CONFIG = RunConfig(network="lenet", lr=0.25, seed=7, train_size=256)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path)
    yield store
    store.close()


def add(store: RunStore, visitor: str = "ann", page: str = "lenet") -> str:
    return store.add(CONFIG, visitor, page, "first try")


def progress(step: int) -> Progress:
    return Progress(
        step=step,
        epoch=step / 10,
        elapsed_s=step / 100,
        train_loss=2 / step,
        train_accuracy=0.5,
        lr=0.25,
        images_per_s=1000,
        eta_s=100 - step,
    )


def evaluation(step: int) -> Evaluation:
    return Evaluation(step=step, epoch=step / 10, elapsed_s=1, test_loss=0.3, test_accuracy=0.9)


def test_a_run_comes_back_as_it_was_noted(store: RunStore) -> None:
    run = add(store)
    record = store.run(run)
    assert record is not None
    assert record.config == CONFIG
    assert (record.visitor, record.page, record.name) == ("ann", "lenet", "first try")
    assert (record.status, record.started_s, record.pinned) == ("queued", None, False)
    store.started(run, {"device": "cpu"})
    store.ended(run, "finished", "note", "file", {"step": 3, "test_loss": None})
    ended = store.run(run)
    assert ended is not None
    assert (ended.status, ended.message, ended.weights) == ("finished", "note", "file")
    assert ended.environment == {"device": "cpu"}
    assert ended.figures == {"step": 3, "test_loss": None}
    assert ended.queued_s <= present(ended.started_s) <= present(ended.ended_s)


def test_the_first_ending_counts(store: RunStore) -> None:
    run = add(store)
    store.ended(run, "cancelled", "by the reader")
    store.started(run, {})
    store.ended(run, "failed", "too late")
    assert present(store.run(run)).status == "cancelled"
    assert present(store.run(run)).message == "by the reader"


def test_runs_are_those_of_one_visitor_newest_first(store: RunStore) -> None:
    first, second = add(store), add(store, page="vgg")
    add(store, visitor="bob")
    assert [record.id for record in store.runs("ann")] == [second, first]
    assert [record.id for record in store.runs("ann", page="vgg")] == [second]
    assert [record.id for record in store.runs("ann", limit=1)] == [second]
    assert store.runs("nobody") == []


def test_runs_are_filtered_and_pinned_ones_come_first_where_asked(store: RunStore) -> None:
    first, second = add(store), add(store)
    store.rename(first, "Slow_one")
    store.rename(second, "50% off")
    third = store.add(RunConfig(network="nin"), "ann", "nin", "Ünïcode")
    store.ended(second, "failed", "It ran out of memory.")

    def found(**filters: Any) -> list[str]:
        return [record.id for record in store.runs("ann", **filters)]

    assert found(network="nin") == [third]
    assert found(status="failed") == [second]
    assert found(status="failed", network="nin") == []
    assert found(text="slow_") == [first]
    assert found(text="%") == [second]
    assert found(text="MEMORY") == [second]
    assert found(text="  ") == [third, second, first]
    store.pin(first, True)
    assert found() == [third, second, first]
    assert found(pinned_first=True) == [first, third, second]


def test_what_is_not_a_number_stays_one(store: RunStore) -> None:
    run = add(store)
    losses = [math.nan, math.inf, 1.0]
    store.append(
        run,
        [progress(i).model_copy(update={"train_loss": loss}) for i, loss in enumerate(losses, 1)],
    )
    found = store.curve(run).train_loss
    assert math.isnan(found[0])
    assert found[1:] == losses[1:]


def test_half_written_weights_go_when_the_run_ends(store: RunStore) -> None:
    run = add(store)
    partial = store.weights_path(run).with_suffix(".123.partial")
    partial.parent.mkdir(exist_ok=True)
    partial.write_bytes(b"half")
    store.ended(run, "failed", "the worker was killed")
    assert not partial.exists()


def test_a_curve_has_its_points_by_column(store: RunStore) -> None:
    run, other = add(store), add(store)
    store.append(run, [progress(1), progress(2), evaluation(2)])
    store.append(run, [progress(3)])
    store.append(other, [progress(9)])
    curve = store.curve(run)
    assert curve.steps == [1, 2, 3]
    assert curve.epochs == [0.1, 0.2, 0.3]
    assert curve.seconds == [0.01, 0.02, 0.03]
    assert curve.train_loss == [2.0, 1.0, 2 / 3]
    assert curve.train_accuracy == [0.5] * 3
    assert (curve.images_per_s, curve.eta_s) == (1000, 97)
    assert (curve.test_steps, curve.test_epochs, curve.test_seconds) == ([2], [0.2], [1])
    assert (curve.test_loss, curve.test_accuracy) == ([0.3], [0.9])


def test_a_run_without_points_has_an_empty_curve(store: RunStore) -> None:
    assert store.curve(add(store)).steps == []
    assert store.curve("unknown").eta_s is None


def test_a_shared_run_is_found_by_its_secret_alone(store: RunStore) -> None:
    run = add(store)
    token = store.share(run)
    assert len(token) >= 20
    assert store.share(run) == token
    assert present(store.by_token(token)).id == run
    assert store.by_token("") is None
    assert store.by_token(run) is None
    with pytest.raises(TrainingError, match="does not exist"):
        store.share("unknown")


def test_a_withdrawn_link_opens_nothing_and_the_next_is_another(store: RunStore) -> None:
    run = add(store)
    token = store.share(run)
    store.withdraw(run)
    assert store.by_token(token) is None
    assert store.share(run) != token
    group, runs = store.add_group([CONFIG, CONFIG], "ann", "lenet", "two", ["a", "b"])
    token = store.groups.share(group)
    assert [one.id for one in store.groups.by_token(token)] == runs
    store.groups.withdraw(group)
    assert store.groups.by_token(token) == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_name_out_of_bounds_is_refused(store: RunStore, name: str) -> None:
    run = add(store)
    with pytest.raises(TrainingError, match="1 to 80 characters"):
        store.rename(run, name)
    assert present(store.run(run)).name == "first try"


def test_rename_and_pin(store: RunStore) -> None:
    run = add(store)
    store.rename(run, f"  {'x' * 80} ")
    store.pin(run, True)
    assert (present(store.run(run)).name, present(store.run(run)).pinned) == ("x" * 80, True)


def test_delete_leaves_nothing(store: RunStore) -> None:
    run, kept = add(store), add(store)
    for number in (run, kept):
        store.append(number, [progress(1), evaluation(1)])
        store.weights_path(number).parent.mkdir(exist_ok=True)
        store.weights_path(number).write_bytes(b"weights")
    partial = store.weights_path(run).with_suffix(".123.partial")
    partial.write_bytes(b"half")
    store.delete(run)
    assert store.run(run) is None
    assert store.curve(run).steps == store.curve(run).test_steps == []
    assert not store.weights_path(run).exists()
    assert not partial.exists()
    assert store.curve(kept).steps == [1]
    assert store.weights_path(kept).exists()


def test_late_points_of_a_deleted_run_are_dropped(store: RunStore) -> None:
    run = add(store)
    store.delete(run)
    store.append(run, [progress(1), evaluation(1)])
    assert store.curve(run).steps == []


@pytest.mark.parametrize("config", ['{"network": "perceptron"}', '{"network"', "5", "[]"])
def test_a_config_of_another_version_is_skipped(store: RunStore, config: str) -> None:
    old, new = add(store), add(store)
    db = sqlite3.connect(store.path)
    db.execute("UPDATE runs SET config = ? WHERE id = ?", (config, old))
    db.commit()
    db.close()
    assert [record.id for record in store.runs("ann")] == [new]
    assert store.run(old) is None


WRITE = """
import sys
from pathlib import Path
from cnnlab.runs.store import RunStore
from tests.unit.test_run_store import CONFIG, progress
store = RunStore(Path(sys.argv[1]))
for _ in range(3):
    run = store.add(CONFIG, sys.argv[2], "lenet", "run")
    for step in range(1, 11):
        store.append(run, [progress(step)])
    store.ended(run, "finished")
print(store.notice, end="")
store.close()
"""


def test_two_processes_share_a_new_folder(tmp_path: Path) -> None:
    """Also when they start together, so that both want to create the file."""
    home = tmp_path / "home"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(home), visitor],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for visitor in ("ann", "bob")
    ]
    assert [writer.communicate(timeout=120)[0] for writer in writers] == ["", ""]
    assert [writer.returncode for writer in writers] == [0, 0]
    store = RunStore(home)
    for visitor in ("ann", "bob"):
        runs = store.runs(visitor)
        assert [record.status for record in runs] == ["finished"] * 3
        assert all(store.curve(record.id).steps == list(range(1, 11)) for record in runs)
    store.close()


def test_runs_of_a_closed_store_are_orphans_and_those_of_a_living_one_are_not(
    tmp_path: Path,
) -> None:
    gone, living = RunStore(tmp_path), RunStore(tmp_path)
    lost, going_on = add(gone), add(living)
    finished = add(gone)
    gone.ended(finished, "finished")
    gone.close()
    late = RunStore(tmp_path)
    assert late.mark_orphans() == 1
    assert late.mark_orphans() == 0
    assert present(late.run(lost)).status == "interrupted"
    assert "server" in present(late.run(lost)).message
    assert present(late.run(going_on)).status == "queued"
    assert present(late.run(finished)).status == "finished"
    living.close()
    late.close()


def test_a_clock_that_was_set_back_hides_no_run(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = [add(store) for _ in range(3)]
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    newest = add(store)
    assert [run.id for run in store.runs("ann", limit=2)] == [newest, earlier[-1]]
    numbers = [present(store.run(run)).number for run in [*earlier, newest]]
    assert numbers == sorted(numbers)
