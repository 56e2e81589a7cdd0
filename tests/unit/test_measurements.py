"""Measurements on their way: into the store, out of it, and through a restart on a cluster."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnlab.jobs.local.worker import Reports
from cnnlab.jobs.ray.restarts import RestartedCurve
from cnnlab.jobs.ray.task import batches
from cnnlab.runs import export, measurements
from cnnlab.runs.comparison import differences
from cnnlab.runs.database import Database
from cnnlab.runs.store import SCRIPTS, RunStore
from cnnlab.training import loop, train
from cnnlab.training.events import Event, Failed, Measurement, Progress, Started, from_json
from cnnlab.training.probes.values import Packed
from tests.unit.probing import CONFIG, every_probe, small_data
from tests.unit.test_worker_protocol import Outlet

OBSERVED = CONFIG.replace(probes=every_probe())


@pytest.fixture(scope="module")
def events() -> Iterator[list[Event]]:
    data, patch = small_data(), pytest.MonkeyPatch()
    patch.setattr(loop, "resident", lambda _name, _device: data)
    yield list(train(OBSERVED))
    patch.undo()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path)
    yield store
    store.close()


def points(events: list[Event]) -> list[Event]:
    """What a manager appends: all but the first event and the last."""
    return events[1:-1]


def measured(events: list[Event]) -> list[Measurement]:
    return [event for event in events if isinstance(event, Measurement)]


def made(step: int, size: int = 1) -> Measurement:
    values = {"numbers": [float(step)] * size, "odd": [math.nan, math.inf]}
    return Measurement(step=step, epoch=0.5, elapsed_s=1, kind="k", layer="a", values=values)


def test_the_store_gives_back_what_was_measured(store: RunStore, events: list[Event]) -> None:
    run = store.add(OBSERVED, "ann", "lenet", "observed")
    store.append(run, points(events)[:50])
    store.append(run, points(events)[50:])
    expected = measured(events)
    assert store.measurements(run) == expected
    assert store.measurements(run, kind="picture", layer="conv1") == [
        one for one in expected if (one.kind, one.layer) == ("picture", "conv1")
    ]
    assert {one.kind for one in store.measurements(run, layer="norm1")} == {
        "layer_statistics",
        "batch_norm",
    }
    assert store.measurements(run, kind="nothing") == []
    assert len(store.curve(run).steps) == 12
    assert isinstance(store.measurements(run, kind="kernels")[0].values["kernels"], Packed)
    store.ended(run, "finished", "as it was")
    record = store.run(run)
    assert record is not None
    assert record.config == OBSERVED
    assert record.message == "as it was"
    store.delete(run)
    assert store.measurements(run) == []


def test_numbers_that_are_none_survive(store: RunStore) -> None:
    run = store.add(CONFIG, "ann", "lenet", "odd")
    store.append(run, [made(1)])
    found = store.measurements(run)[0].values["odd"]
    assert found == pytest.approx([math.nan, math.inf], nan_ok=True)


def test_a_run_fills_no_more_than_its_room_and_says_so(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurements, "LIMIT_BYTES", 20_000)
    run, other = (store.add(CONFIG, "ann", "lenet", name) for name in ("full", "other"))
    for step in range(1, 30):
        store.append(run, [made(step, 500), made(step, 1)])
    steps = [one.step for one in store.measurements(run)]
    assert steps[0] == 1
    # Nothing is kept from the first that found no room, not even what would still fit.
    assert steps == sorted(steps)
    assert steps[-1] < 12
    store.append(other, [made(1, 500)])
    assert len(store.measurements(other)) == 1
    for name in (run, other):
        store.ended(name, "finished")
    full, small = store.run(run), store.run(other)
    assert full is not None
    assert small is not None
    assert f"observed from step {steps[-1] + 1} on is not kept" in full.message
    assert small.message == ""


@pytest.mark.parametrize("event", [Failed(message="no"), None])
def test_an_event_that_the_store_does_not_know_is_an_error(
    store: RunStore, events: list[Event], event: Event | None
) -> None:
    run = store.add(CONFIG, "ann", "lenet", "run")
    unknown = event or events[0]
    with pytest.raises(TypeError, match=f"no points of the type '{unknown.type}'"):
        store.append(run, [events[1], unknown])
    assert store.curve(run).steps == []


def test_the_file_of_a_version_without_measurements_gets_them(tmp_path: Path) -> None:
    Database(tmp_path / "runs.sqlite", SCRIPTS[:2]).close()
    store = RunStore(tmp_path)
    run = store.add(CONFIG, "ann", "lenet", "run")
    store.append(run, [made(1)])
    assert len(store.measurements(run)) == 1
    store.close()


def test_probes_are_exported_and_set_no_runs_apart(store: RunStore) -> None:
    run = store.add(OBSERVED, "ann", "lenet", "run")
    record = store.run(run)
    assert record is not None
    exported = json.loads(export.run_json(record, store.curve(run)))
    assert [probe["kind"] for probe in exported["config"]["probes"]] == [
        probe.kind for probe in OBSERVED.probes
    ]
    assert differences([OBSERVED, OBSERVED.replace(probes=())]) == [{}, {}]


def test_a_worker_sends_measurements_together_with_the_points(events: list[Event]) -> None:
    out = Outlet()
    reports = Reports(out)
    for event in events:
        reports.send("r", event)
    sent = [from_json(json.dumps(json.loads(x)["event"])) for x in out.getvalue().splitlines()]
    assert sent == events
    late = sum(isinstance(e, Measurement) and e.step > 1 for e in events)
    assert out.flushes < len(events) - late / 2


def test_a_task_on_a_cluster_sends_measurements(
    events: list[Event], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = small_data()
    monkeypatch.setattr(loop, "resident", lambda _name, _device: data)
    sent = list(batches(OBSERVED.model_dump_json(), tmp_path / "w.safetensors", lambda: False))
    found = [from_json(line) for lines, _ in sent for line in lines]
    assert [e.type for e in found] == [e.type for e in events]
    assert [e.values for e in measured(found)] == [e.values for e in measured(events)]


@pytest.mark.parametrize("lost_after", [1, 5, 20, 60, 100])
def test_a_restart_repeats_no_measurement_and_loses_none(
    events: list[Event], lost_after: int
) -> None:
    """The machine is lost in the middle of a step's many measurements."""
    story = RestartedCurve()
    shown = [event for event in map(story.add, events[:lost_after]) if event is not None]
    story.restarts += 1
    shown += [event for event in map(story.add, events) if event is not None]
    assert [name(event) for event in shown] == [name(event) for event in events]
    assert [e.values for e in measured(shown)] == [e.values for e in measured(events)]


def name(event: Event) -> tuple[object, ...]:
    if isinstance(event, Started):
        return (event.type,)
    if isinstance(event, Measurement):
        return event.type, event.step, event.kind, event.layer
    return event.type, event.step


def test_points_and_measurements_come_in_the_order_of_their_steps(events: list[Event]) -> None:
    steps = [event.step for event in points(events) if not isinstance(event, Started)]
    assert steps == sorted(steps)
    assert any(isinstance(event, Progress) for event in events)
