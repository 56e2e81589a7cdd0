"""Disk that weights take: the oldest that are not pinned make room, the curves stay."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnlab.jobs.limits import Settings
from cnnlab.runs.store import RunStore
from cnnlab.runs.weights import GONE, Quota
from tests.present import present
from tests.unit.run_server import CONFIG, SETTINGS, Server, progress

KB = 2**10
AMPLE = Quota(visitor_bytes=1000 * KB, all_bytes=1000 * KB, free_bytes=0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path)
    yield store
    store.close()


def add(store: RunStore, visitor: str = "ann", size: int = 100 * KB) -> str:
    """A finished run with weights of this size."""
    run = store.add(CONFIG, visitor, "lenet", "run")
    path = store.weights_path(run)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(size))
    store.append(run, [progress(1)])
    store.ended(run, "finished", weights=str(path))
    return run


def kept(store: RunStore, runs: list[str]) -> list[bool]:
    there = [present(store.run(run)).weights is not None for run in runs]
    assert there == [store.weights_path(run).exists() for run in runs]
    return there


def test_nothing_goes_as_long_as_there_is_room(store: RunStore) -> None:
    runs = [add(store) for _ in range(3)]
    assert store.weights.make_room(AMPLE) == []
    assert kept(store, runs) == [True] * 3
    assert store.weights.of_visitor("ann") == 300 * KB
    assert store.weights.sizes([runs[0], "unknown"]) == {runs[0]: 100 * KB}


def test_the_oldest_of_a_visitor_go_but_no_pinned_ones(store: RunStore) -> None:
    runs = [add(store) for _ in range(5)]
    others = [add(store, "bob") for _ in range(2)]
    store.pin(runs[0], True)
    quota = Quota(visitor_bytes=300 * KB, all_bytes=1000 * KB, free_bytes=0)
    assert store.weights.make_room(quota) == runs[1:3]
    assert kept(store, runs) == [True, False, False, True, True]
    assert kept(store, others) == [True, True]
    # What was drawn of it stays, and the run says what became of its weights.
    assert store.curve(runs[1]).steps == [1]
    assert present(store.run(runs[1])).message == GONE
    assert store.weights.make_room(quota) == []


def test_all_visitors_together_have_a_limit_and_each_keeps_the_newest(store: RunStore) -> None:
    runs = [add(store, visitor) for visitor in ("ann", "bob", "ann", "bob", "cyd")]
    quota = Quota(visitor_bytes=1000 * KB, all_bytes=150 * KB, free_bytes=0)
    assert store.weights.make_room(quota) == runs[:2]
    assert kept(store, runs) == [False, False, True, True, True]


def test_a_full_disk_counts(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [add(store) for _ in range(3)]

    def usage(_folder: Path) -> object:
        class Disk:
            free = 50 * KB

        return Disk

    monkeypatch.setattr(shutil, "disk_usage", usage)
    quota = Quota(visitor_bytes=1000 * KB, all_bytes=1000 * KB, free_bytes=120 * KB)
    assert store.weights.make_room(quota) == runs[:1]


def test_the_server_makes_room_by_itself(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [add(server.store, size=2**20) for _ in range(3)]
    small = Settings(weights_mb_per_visitor=2, weights_mb=100, free_mb=0)
    monkeypatch.setattr(server.manager._watch, "_settings", small)
    server.clock.now_s += 60
    server.manager.check()
    assert kept(server.store, runs) == [False, True, True]
    assert SETTINGS.quota.visitor_bytes == 2000 * 2**20
