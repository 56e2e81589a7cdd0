"""A run from the queue to its end: what the manager does when all goes well, and when not."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnlab.errors import TrainingError
from cnnlab.jobs import manager
from cnnlab.runs.naming import run_name
from cnnlab.runs.store import RunStore
from cnnlab.training.events import Event, Failed
from tests.present import present
from tests.unit.run_server import CONFIG, STARTED, Server, progress
from tests.waiting import wait_until


def test_a_run_goes_from_the_queue_to_its_end(server: Server) -> None:
    run = server.begin("ann")
    assert present(server.store.run(run)).status == "queued"
    server.engine.put(run, STARTED)
    server.engine.put(run, progress(1))
    wait_until(lambda: server.store.curve(run).steps == [1])
    record = present(server.store.run(run))
    assert record.status == "running"
    assert record.environment["device"] == "cpu"
    assert {"torch", "torchvision", "python"} <= set(record.environment)
    server.engine.put(run, progress(2))
    server.engine.finish(run)
    server.wait_for(run, "finished")
    assert present(server.store.run(run)).weights == "file"
    assert present(server.store.run(run)).figures["step"] == 10
    assert server.store.curve(run).steps == [1, 2]


def test_a_waiting_run_is_stopped_at_once(server: Server) -> None:
    running, waiting = server.begin("ann"), server.submit("ann")
    server.manager.stop(waiting, "ann")
    assert present(server.store.run(waiting)).status == "cancelled"
    server.engine.finish(running)
    next_run = server.begin("ann")
    assert server.engine.begun == [running, next_run]


def test_a_running_run_is_stopped_by_the_engine(server: Server) -> None:
    run = server.begin("ann")
    server.manager.stop(run, "ann")
    server.wait_for(run, "cancelled")
    assert server.message(run) == ""
    server.manager.stop(run, "ann")  # an ended run: nothing happens
    assert server.engine.cancelled.count(run) == 1


def test_a_run_stopped_on_its_way_to_the_engine_is_still_stopped(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = server.engine.submit

    def stopped_meanwhile(slot: int, run: str, *rest: Any) -> Iterator[Event]:
        server.manager.stop(run, "ann")  # the engine does not know it yet
        return submit(slot, run, *rest)

    monkeypatch.setattr(server.engine, "submit", stopped_meanwhile)
    server.wait_for(server.submit("ann"), "cancelled")


def test_a_failure_keeps_its_reason_and_the_slot_goes_on(server: Server) -> None:
    run = server.begin("ann")
    server.engine.put(run, Failed(message="The device ran out of memory."))
    server.wait_for(run, "failed")
    assert server.message(run) == "The device ran out of memory."
    server.begin("ann")


@pytest.mark.parametrize("mishap", [RuntimeError("broken"), None], ids=["raises", "no ending"])
def test_a_broken_engine_costs_one_run_not_the_slot(
    server: Server, mishap: Exception | None
) -> None:
    run = server.begin("ann")
    server.engine.put(run, progress(1))
    server.engine.put(run, mishap)
    server.wait_for(run, "failed")
    assert server.engine.given_up == [run]
    server.begin("ann")


def test_a_run_of_another_server_is_stopped_there(server: Server) -> None:
    other = RunStore(server.store.home)
    run = other.add(CONFIG, "ann", "lenet", "run")
    with pytest.raises(TrainingError, match="Another server"):
        server.manager.stop(run, "ann")
    other.close()


def test_closing_interrupts_what_runs_and_what_waits(server: Server) -> None:
    running, waiting = server.begin("ann"), server.submit("ann")
    server.engine.put(running, progress(1))
    server.manager.close()
    assert [present(server.store.run(run)).status for run in (running, waiting)] == [
        "interrupted"
    ] * 2
    assert server.store.curve(running).steps == [1]
    with pytest.raises(TrainingError, match="about to stop"):
        server.submit("ann")


def test_closing_waits_for_all_threads_together_not_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(tmp_path, slots=8)
    for number in range(8):
        server.begin(f"visitor {number}")
    monkeypatch.setattr(manager, "CLOSING_S", 0.5)
    # None of them hears that the engine was closed.
    monkeypatch.setattr(server.engine, "close", lambda: None)
    begun_s = time.monotonic()
    server.manager.close()
    assert time.monotonic() - begun_s < 2
    statuses = {run.status for number in range(8) for run in server.store.runs(f"visitor {number}")}
    assert statuses == {"interrupted"}


def test_a_new_manager_marks_the_runs_of_a_dead_server(tmp_path: Path) -> None:
    dead = RunStore(tmp_path)
    run = dead.add(CONFIG, "ann", "lenet", "run")
    dead.close()
    server = Server(tmp_path)
    assert present(server.store.run(run)).status == "interrupted"
    server.manager.close()
    server.store.close()


def test_without_a_name_a_run_is_called_by_what_it_is(server: Server) -> None:
    run = server.manager.submit(CONFIG, "ann", "lenet")
    assert present(server.store.run(run)).name == run_name(CONFIG)
