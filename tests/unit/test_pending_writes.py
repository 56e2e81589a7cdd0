"""Writes that the store refuses: those that may succeed later wait, others hold up nobody."""

import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cnnlab.errors import TrainingError
from cnnlab.jobs.pending_writes import PendingWrites
from cnnlab.runs.store import RunStore
from tests.present import present
from tests.unit.run_server import CONFIG, STARTED, Server, progress
from tests.waiting import wait_until


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path)
    yield store
    store.close()


def out_of_range(step: int) -> Any:
    """A point that SQLite cannot hold: its integers have 64 bits."""
    return progress(step).model_copy(update={"step": 2**70})


def nothing_where_something_has_to_be(step: int) -> Any:
    return progress(step).model_copy(update={"epoch": None})


@pytest.mark.parametrize("broken", [out_of_range, nothing_where_something_has_to_be])
def test_one_impossible_write_holds_up_nobody(store: RunStore, broken: Any) -> None:
    run, other = (store.add(CONFIG, name, "lenet", "run") for name in ("ann", "bob"))
    writes = PendingWrites(store)
    writes.add(partial(store.append, run, [broken(1)]))
    writes.add(partial(store.append, other, [progress(1)]))
    assert writes.flush()
    assert store.curve(other).steps == [1]
    assert store.curve(run).steps == []
    assert store.notice == ""


def test_what_may_succeed_later_waits_in_order(store: RunStore) -> None:
    run = store.add(CONFIG, "ann", "lenet", "run")
    writes, full = PendingWrites(store), True

    def write(step: int) -> None:
        if full:
            raise TrainingError("No room.") from sqlite3.OperationalError("disk is full")
        store.append(run, [progress(step)])

    writes.add(partial(write, 1))
    writes.add(partial(write, 2))
    assert not writes.flush()
    assert "Results wait to be written. No room." in store.notice
    full = False
    assert writes.flush()
    assert store.curve(run).steps == [1, 2]
    assert store.notice == ""


def test_an_ending_that_cannot_be_kept_ends_the_run_all_the_same(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = server.begin("ann")
    server.engine.put(run, STARTED)
    server.engine.put(run, progress(1))
    wait_until(lambda: server.store.curve(run).steps == [1])
    whole = server.store.ended

    def ended(run: str, status: str, message: str = "", *more: Any) -> None:
        if status == "finished":
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        whole(run, status, message, *more)

    monkeypatch.setattr(server.store, "ended", ended)
    server.engine.finish(run)
    server.wait_for(run, "failed")
    assert "could not be kept" in server.message(run)
    assert present(server.store.run(run)).ended_s is not None
