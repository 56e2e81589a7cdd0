"""Files and folders that cannot be used: the app starts, says so, and goes on."""

import contextlib
import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from cnnlab.errors import TrainingError
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.database import Database
from cnnlab.runs.store import SCRIPTS, RunStore
from tests.present import present
from tests.unit.run_server import CONFIG, SETTINGS, STARTED, Clock, FakeEngine, progress
from tests.waiting import wait_until


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("CNNLAB_HOME", str(home))
    return home


@pytest.fixture
def open_store(home: Path) -> Iterator[Callable[[], RunStore]]:
    """Open the default store as often as needed; all are closed at the end."""
    home.mkdir()
    opened: list[RunStore] = []

    def open_store() -> RunStore:
        opened.append(RunStore.open_default())
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


def add(store: RunStore) -> str:
    return store.add(CONFIG, "ann", "lenet", "run")


def written_file(home: Path) -> bytes:
    """The file of a store that has some runs."""
    store = RunStore(home)
    for _ in range(20):
        store.append(add(store), [progress(step) for step in range(50)])
    store.close()
    return (home / "runs.sqlite").read_bytes()


def random_bytes(_home: Path) -> bytes:
    return secrets.token_bytes(10_000)


def half_a_header(home: Path) -> bytes:
    return written_file(home)[:50]


def truncated(home: Path) -> bytes:
    content = written_file(home)
    return content[: len(content) // 2]


def a_page_of_rubbish(home: Path) -> bytes:
    content = written_file(home)
    return content[:8192] + secrets.token_bytes(4096) + content[12288:]


def text(_home: Path) -> bytes:
    return b"This is not a database.\n" * 100


@pytest.mark.parametrize(
    "content", [random_bytes, half_a_header, truncated, a_page_of_rubbish, text]
)
def test_a_damaged_file_is_moved_aside(
    home: Path, open_store: Callable[[], RunStore], content: Callable[[Path], bytes]
) -> None:
    damaged = content(home)
    (home / "runs.sqlite").write_bytes(damaged)
    store = open_store()
    assert store.home == home
    assert "was damaged" in store.notice
    (aside,) = home.glob("runs-aside-*.sqlite")
    assert aside.name in store.notice
    assert aside.read_bytes() == damaged
    assert present(store.run(add(store))).status == "queued"
    assert open_store().notice == ""


@pytest.mark.parametrize("mark", ["", "PRAGMA user_version = 1", "PRAGMA user_version = 7"])
def test_the_file_of_another_program_is_not_written_to(
    home: Path, open_store: Callable[[], RunStore], mark: str
) -> None:
    db = sqlite3.connect(home / "runs.sqlite")
    db.execute("CREATE TABLE runs (distance_km REAL)")
    db.execute(mark)
    db.commit()
    db.close()
    content = (home / "runs.sqlite").read_bytes()
    store = open_store()
    assert "another program" in store.notice
    (aside,) = home.glob("runs-aside-*.sqlite")
    assert aside.read_bytes() == content
    add(store)


def test_the_file_of_an_earlier_version_is_brought_up_to_date(
    home: Path, open_store: Callable[[], RunStore]
) -> None:
    early = Database(home / "runs.sqlite", SCRIPTS[:1])
    with early.write() as db:
        db.execute(
            "INSERT INTO runs (id, visitor, page, name, network, dataset, config, owner, status, "
            "queued_s) VALUES ('r', 'ann', 'lenet', 'Old', 'lenet', 'shapes', ?, '', 'failed', 1)",
            (CONFIG.model_dump_json(),),
        )
    early.close()
    store = open_store()
    assert store.notice == ""
    assert (present(store.run("r")).name, present(store.run("r")).figures) == ("Old", {})
    add(store)


def test_the_file_of_a_later_version_stays_where_it_is(home: Path) -> None:
    """The server that wrote it may still be using it."""
    RunStore(home).close()
    db = sqlite3.connect(home / "runs.sqlite")
    db.execute("PRAGMA user_version = 99")
    db.close()
    content = (home / "runs.sqlite").read_bytes()
    store = RunStore.open_default()
    assert store.home != home
    assert "later version" in store.notice
    assert (home / "runs.sqlite").read_bytes() == content
    store.close()


def test_an_empty_file_is_a_new_store(home: Path, open_store: Callable[[], RunStore]) -> None:
    (home / "runs.sqlite").touch()
    store = open_store()
    assert store.notice == ""
    add(store)


def a_file(home: Path) -> None:
    home.write_text("not a folder")


def a_folder_in_the_place_of_the_file(home: Path) -> None:
    (home / "runs.sqlite").mkdir(parents=True)


@pytest.mark.parametrize("obstacle", [a_file, a_folder_in_the_place_of_the_file])
def test_a_home_that_cannot_be_used_is_replaced_for_the_time_being(
    home: Path, obstacle: Callable[[Path], None]
) -> None:
    obstacle(home)
    store = RunStore.open_default()
    assert store.home != home
    assert str(home) in store.notice
    assert "Set CNNLAB_HOME" in store.notice
    assert present(store.run(add(store))).status == "queued"
    store.close()


def test_a_home_that_cannot_be_written_is_replaced_too(home: Path, small_disk: Path) -> None:
    RunStore(small_disk).close()
    mount("-o", "remount,ro", str(small_disk))
    store = RunStore.open_default()
    assert store.home != home
    assert "cannot be used" in store.notice
    add(store)
    store.close()


def test_a_passing_home_is_removed_at_the_end(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_the_end: list[Callable[[], None]] = []
    monkeypatch.setattr(
        "atexit.register", lambda call, *a, **k: at_the_end.append(partial(call, *a, **k))
    )
    home.write_text("not a folder")
    store = RunStore.open_default()
    store.close()
    assert store.home.exists()
    for call in at_the_end:
        call()
    assert not store.home.exists()


def mount(*arguments: str) -> None:
    if subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")


@pytest.fixture
def small_disk(home: Path) -> Iterator[Path]:
    """A disk of half a megabyte as the home."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    home.mkdir()
    mount("-t", "tmpfs", "-o", "size=512k", "cnnlab-test", str(home))
    yield home
    subprocess.run(["umount", "--lazy", str(home)], check=True)


class FullDisk:
    """A store on a disk that is full or not, as the test says."""

    def __init__(self, home: Path) -> None:
        self.store, self.engine = RunStore(home), FakeEngine()
        self.manager = RunManager(self.store, self.engine, SETTINGS, Clock())
        self.rubbish = home / "rubbish"

    def fill(self) -> None:
        with self.rubbish.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1024))

    def free(self) -> None:
        self.rubbish.unlink()

    def close(self) -> None:
        self.manager.close()
        self.store.close()


class RefusedWrites(FullDisk):
    """The same where nobody may mount: SQLite's own answer, given by the connection."""

    def fill(self) -> None:
        class Full:
            in_transaction = False

            def execute(self, *_: object) -> None:
                raise sqlite3.OperationalError("database or disk is full")

        self._real = self.store._db._writer
        self.store._db._writer = cast(sqlite3.Connection, Full())

    def free(self) -> None:
        self.store._db._writer = self._real


@pytest.fixture(params=[FullDisk, RefusedWrites])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FullDisk]:
    kind = request.param
    home = request.getfixturevalue("small_disk") if kind is FullDisk else tmp_path
    disk = kind(home)
    yield disk
    disk.close()


def submit_many(manager: RunManager) -> None:
    """More than can fit into what is left of a journal's last block."""
    for _ in range(100):
        manager.submit(CONFIG, secrets.token_hex(), "lenet", "run")


def test_a_full_disk_is_said_and_nothing_is_lost_once_it_has_room(disk: FullDisk) -> None:
    run = disk.manager.submit(CONFIG, "ann", "lenet", "run")
    wait_until(lambda: run in disk.engine.begun)
    disk.fill()
    # Enough points that a journal with some room left in its last block is used up as well.
    disk.engine.put(run, STARTED)
    for step in range(1, 201):
        disk.engine.put(run, progress(step))
    disk.engine.finish(run)
    wait_until(lambda: "full" in disk.store.notice)
    with pytest.raises(TrainingError, match="full"):
        submit_many(disk.manager)
    assert len(disk.store.curve(run).steps) < 200

    disk.free()
    wait_until(lambda: present(disk.store.run(run)).status == "finished")
    assert disk.store.curve(run).steps == list(range(1, 201))
    assert disk.store.notice == ""
    after = disk.manager.submit(CONFIG, "ann", "lenet", "run")
    assert present(disk.store.run(after)).status == "queued"


def test_a_server_starts_on_a_full_disk(disk: FullDisk) -> None:
    lost = add(disk.store)
    disk.manager.close()
    disk.fill()
    manager = RunManager(disk.store, FakeEngine(), SETTINGS, Clock())
    assert present(disk.store.run(lost)).status == "queued"
    manager.close()
    disk.free()
