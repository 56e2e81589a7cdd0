"""Many runs as few lines: entries of a list, arms of a group, and how all of them stand."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cnnlab.runs.arms import Spread, arms, spread
from cnnlab.runs.entries import entries
from cnnlab.runs.latest import Latest
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig
from cnnlab.training.events import Evaluation, Event
from tests.unit.run_server import progress

LENET = RunConfig(network="lenet")
SIGMOID = LENET.replace(options=LENET.options.replace(activation="sigmoid"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path)
    yield store
    store.close()


def add_group(store: RunStore, configs: Sequence[RunConfig], name: str = "group") -> list[str]:
    names = [f"{name}, run {number}" for number in range(len(configs))]
    return store.add_group(configs, "ann", "lenet", name, names)[1]


def seeds(config: RunConfig, count: int) -> list[RunConfig]:
    return [config.replace(seed=seed) for seed in range(count)]


def evaluation(accuracy: float, elapsed_s: float = 3) -> Event:
    return Evaluation(step=2, epoch=2, elapsed_s=elapsed_s, test_loss=1, test_accuracy=accuracy)


def test_a_group_is_one_entry_among_single_runs(store: RunStore) -> None:
    first = store.add(LENET, "ann", "lenet", "first")
    runs = add_group(store, seeds(LENET, 3))
    last = store.add(LENET, "ann", "lenet", "last")
    found = entries(store.runs("ann"))
    assert [entry.name for entry in found] == ["last", "group", "first"]
    assert [run.id for run in found[1].runs] == runs
    assert found[1].id == found[1].group
    assert [(entry.id, entry.group) for entry in found[::2]] == [(last, None), (first, None)]
    assert not found[1].pinned
    store.groups.pin(found[1].id, True)
    pinned = entries(store.runs("ann", pinned_first=True))
    assert [entry.name for entry in pinned] == ["group", "last", "first"]
    assert pinned[0].pinned


@pytest.mark.parametrize(
    ("endings", "status", "ended"),
    [
        ([], "queued", 0),
        (["finished"], "running", 1),
        (["finished"] * 3, "finished", 3),
        (["finished", "cancelled", "cancelled"], "cancelled", 3),
        (["finished", "failed", "cancelled"], "failed", 3),
        (["finished", "interrupted", "finished"], "interrupted", 3),
    ],
)
def test_the_state_of_a_group(store: RunStore, endings: list[str], status: str, ended: int) -> None:
    runs = add_group(store, seeds(LENET, 3))
    for run, ending in zip(runs, endings, strict=False):
        store.ended(run, ending)
    (entry,) = entries(store.runs("ann"))
    assert (entry.status, entry.ended, len(entry.active)) == (status, ended, 3 - ended)


def test_a_group_of_which_one_run_goes_on_is_running(store: RunStore) -> None:
    runs = add_group(store, seeds(LENET, 3))
    store.started(runs[1], {})
    assert entries(store.runs("ann"))[0].status == "running"


def test_arms_differ_in_more_than_their_seed(store: RunStore) -> None:
    configs = [
        config for pair in zip(seeds(LENET, 3), seeds(SIGMOID, 3), strict=True) for config in pair
    ]
    runs = add_group(store, configs)
    store.ended(runs[0], "finished")
    store.ended(runs[2], "failed")
    found = arms(entries(store.runs("ann"))[0].runs)
    assert [[run.id for run in arm.runs] for arm in found] == [runs[::2], runs[1::2]]
    assert [run.id for run in found[0].finished] == [runs[0]]
    assert not found[1].finished


def test_mean_and_spread() -> None:
    assert spread([]) is None
    assert spread([0.5]) == Spread(0.5, None, 1)
    found = spread([0.2, 0.4, 0.6])
    assert found is not None
    assert found.mean == pytest.approx(0.4)
    assert found.deviation == pytest.approx(0.2)
    assert found.count == 3


def test_how_runs_stand_is_one_query(store: RunStore) -> None:
    fresh, trained, tested = add_group(store, seeds(LENET, 3))
    store.append(trained, [progress(1), progress(2)])
    store.append(tested, [evaluation(0.25), evaluation(0.75, 9), progress(3)])
    store.ended(tested, "finished")
    asked: list[str] = []
    with store._db.read() as db:
        db.set_trace_callback(asked.append)
    found = store.latest([fresh, trained, tested, "unknown"])
    assert len(asked) == 1
    assert found == {
        fresh: Latest("queued"),
        trained: Latest("queued", None, 1, 1),
        tested: Latest("finished", 0.75, 2, 9),
    }
    assert store.latest([]) == {}


def test_an_accuracy_that_is_no_number_is_none(store: RunStore) -> None:
    run = store.add(LENET, "ann", "lenet", "run")
    store.append(run, [evaluation(float("nan"))])
    assert store.latest([run])[run].test_accuracy is None


def test_the_last_points_are_found_without_reading_the_others(store: RunStore) -> None:
    """SQLite's plan searches each table by its index, and scans none."""
    from cnnlab.runs import latest

    with store._db.read() as db:
        plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {latest.QUERY}", ("[]",))]
    assert not [step for step in plan if step.startswith("SCAN") and "wanted" not in step]


def test_a_renamed_group_takes_its_runs_along(store: RunStore) -> None:
    runs = add_group(store, seeds(LENET, 2))
    store.rename(runs[1], "my own")
    (entry,) = entries(store.runs("ann"))
    store.groups.rename(entry.id, "x" * 80)
    found = store.groups.runs(entry.id)
    assert [run.name for run in found] == ["x" * 73 + ", run 0", "my own"]
    assert found[0].group_name == "x" * 80
