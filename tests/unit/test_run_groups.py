"""Groups in the store: runs that share an id, a name and a link."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnlab.errors import TrainingError
from cnnlab.runs import export
from cnnlab.runs.database import Database
from cnnlab.runs.store import SCRIPTS, RunStore
from cnnlab.training import RunConfig
from cnnlab.training.events import Progress

CONFIGS = [RunConfig(network="lenet", seed=seed) for seed in range(3)]
NAMES = [f"seed {seed}" for seed in range(3)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path)
    yield store
    store.close()


def add(store: RunStore, name: str = "three seeds") -> tuple[str, list[str]]:
    return store.add_group(CONFIGS, "ann", "lenet", name, NAMES)


def test_the_runs_of_a_group_share_its_id_and_name(store: RunStore) -> None:
    alone = store.add(CONFIGS[0], "ann", "lenet", "alone")
    group, runs = add(store)
    other, _ = add(store, "another")
    assert group != other
    found = store.groups.runs(group)
    assert [run.id for run in found] == runs
    assert [run.config for run in found] == CONFIGS
    assert [run.name for run in found] == NAMES
    assert {(run.group_id, run.group_name, run.status) for run in found} == {
        (group, "three seeds", "queued")
    }
    record = store.run(alone)
    assert record is not None
    assert (record.group_id, record.group_name) == (None, None)
    assert [run.group_name for run in store.runs("ann", text="THREE")] == ["three seeds"] * 3


def test_a_group_is_renamed_and_pinned_as_one(store: RunStore) -> None:
    group, _ = add(store)
    store.groups.rename(group, " sigmoid ")
    store.groups.pin(group, True)
    assert {(run.group_name, run.pinned) for run in store.groups.runs(group)} == {("sigmoid", True)}
    assert {run.name for run in store.groups.runs(group)} == set(NAMES)


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_a_name_out_of_bounds_is_refused(store: RunStore, name: str) -> None:
    group, _ = add(store)
    with pytest.raises(TrainingError, match="1 to 80 characters"):
        store.groups.rename(group, name)
    with pytest.raises(TrainingError, match="1 to 80 characters"):
        add(store, name)
    assert len(store.runs("ann")) == 3


def test_a_shared_group_is_found_by_its_secret_alone(store: RunStore) -> None:
    group, runs = add(store)
    token = store.groups.share(group)
    assert store.groups.share(group) == token
    assert [run.id for run in store.groups.by_token(token)] == runs
    assert store.by_token(token) is None
    assert store.groups.by_token("") == store.groups.by_token(group) == []
    with pytest.raises(TrainingError, match="does not exist"):
        store.groups.share("unknown")


def test_a_group_goes_with_the_last_of_its_runs(store: RunStore) -> None:
    group, runs = add(store)
    token = store.groups.share(group)
    for run in runs[:2]:
        store.delete(run)
    assert [run.id for run in store.groups.by_token(token)] == runs[2:]
    store.delete(runs[2])
    with pytest.raises(TrainingError, match="does not exist"):
        store.groups.share(group)


def test_an_exported_run_names_its_group(store: RunStore) -> None:
    group, _ = add(store)
    for run in store.groups.runs(group):
        assert '"group": "three seeds"' in export.run_json(run, store.curve(run.id))


def test_a_file_without_groups_is_brought_up_to_date(tmp_path: Path) -> None:
    """A file of the version before: its runs and points stay, and groups can join them."""
    path = tmp_path / "runs.sqlite"
    Database(path, SCRIPTS[:2]).close()
    db = sqlite3.connect(path)
    db.execute(
        "INSERT INTO runs (id, visitor, page, name, network, dataset, config, owner, status, "
        "queued_s) VALUES ('old', 'ann', 'lenet', 'old run', 'lenet', 'shapes', ?, 'x', "
        "'finished', 1)",
        (CONFIGS[0].model_dump_json(),),
    )
    db.execute("INSERT INTO points VALUES ('old', 1, 0.5, 2.0, 1.5, 0.25, 0.1, 900, 3)")
    db.commit()
    db.close()
    store = RunStore(tmp_path)
    try:
        record = store.run("old")
        assert record is not None
        assert (record.name, record.group_id) == ("old run", None)
        curve = store.curve("old")
        assert (curve.steps, curve.train_loss, curve.images_per_s) == ([1], [1.5], 900)
        _, (run, *_) = add(store)
        store.append(run, [point()])
        assert store.curve(run).steps == [1]
        assert store.notice == ""
    finally:
        store.close()


def point() -> Progress:
    return Progress(
        step=1,
        epoch=1,
        elapsed_s=1,
        train_loss=1,
        train_accuracy=0.5,
        lr=0.1,
        images_per_s=10,
        eta_s=0,
    )
