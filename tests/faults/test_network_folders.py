"""A home on a network folder: SQLite's WAL cannot work there, so another journal is used."""

import logging
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from cnnlab.runs import database, file_systems
from cnnlab.runs.database import journal_of
from cnnlab.runs.file_systems import network_kind
from cnnlab.runs.store import RunStore
from tests.present import present
from tests.unit.run_server import CONFIG, progress


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What Linux lists as mounted, as the test writes it."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(file_systems, "MOUNTS", tmp_path / "mountinfo")
    return tmp_path / "mountinfo"


def mounted(place: Path, kind: str) -> str:
    name = str(place).replace(" ", "\\040")
    return f"36 35 98:0 / {name} rw,noatime master:1 - {kind} server:/export rw,errors=continue\n"


ROOT_DISK = mounted(Path("/"), "ext4")


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "lustre"])
def test_a_network_folder_is_told_by_its_mount(mounts: Path, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "class room" / "home"
    mounts.write_text(ROOT_DISK + mounted(folder.parent, kind))
    assert network_kind(folder) == kind
    assert network_kind(tmp_path) is None
    assert network_kind(tmp_path / "class room too") is None


@pytest.mark.parametrize("kind", ["ext4", "xfs", "overlay", "tmpfs", "fuse.ntfs-3g", "fuseblk"])
def test_a_disk_of_this_machine_is_none(mounts: Path, tmp_path: Path, kind: str) -> None:
    mounts.write_text(ROOT_DISK + mounted(tmp_path, kind))
    assert network_kind(tmp_path) is None


def test_the_nearest_mount_counts_and_of_two_the_later(mounts: Path, tmp_path: Path) -> None:
    inner = tmp_path / "disk"
    mounts.write_text(mounted(inner, "nfs") + mounted(tmp_path, "nfs") + mounted(inner, "ext4"))
    assert network_kind(tmp_path) == "nfs"
    assert network_kind(inner / "home") is None


def test_a_link_to_a_network_folder_is_one(mounts: Path, tmp_path: Path) -> None:
    (tmp_path / "remote").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "remote")
    mounts.write_text(mounted(tmp_path / "remote", "nfs4"))
    assert network_kind(tmp_path / "home") == "nfs4"


@pytest.mark.parametrize("content", [None, "", "nonsense\n - \n1 2 3 - nfs"])
def test_a_system_that_tells_nothing(mounts: Path, tmp_path: Path, content: str | None) -> None:
    if content is not None:
        mounts.write_text(content)
    assert network_kind(tmp_path) is None


def test_runs_in_a_network_folder_are_kept_with_a_rollback_journal_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # One that was made where WAL works, with a run in it: it moves to the network and back.
    local = RunStore(tmp_path)
    assert journal_of(local._db._writer) == "wal"
    kept = local.add(CONFIG, "ann", "lenet", "run")
    local.close()

    monkeypatch.setattr(database, "network_kind", lambda _folder: "nfs4")
    with caplog.at_level(logging.WARNING):
        store, other = RunStore(tmp_path), RunStore(tmp_path)
    for said in (store.notice, other.notice, caplog.text):
        assert "comes over a network (nfs4)" in said
        assert str(tmp_path) in said
        assert "Set CNNLAB_HOME" in said
    for connection in (store._db._writer, store._db._reader, other._db._writer):
        assert journal_of(connection) == "delete"
    assert present(store.run(kept)).status == "queued"
    for number in range(20):
        store.append(kept, [progress(2 * number + 1)])
        other.append(kept, [progress(2 * number + 2)])
    assert other.curve(kept).steps == list(range(1, 41))
    assert not (tmp_path / "runs.sqlite-wal").exists()
    store.close()
    other.close()

    monkeypatch.undo()
    back = RunStore(tmp_path)
    assert (journal_of(back._db._writer), back.notice) == ("wal", "")
    assert len(back.curve(kept).steps) == 40
    back.close()


@pytest.mark.skipif(sys.platform == "win32", reason="SQLite has this way on Unix only")
def test_a_folder_in_which_wal_does_not_take_is_said_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own way for folders without locks has no shared memory either."""
    real = sqlite3.connect

    def connect(path: Path, **more: Any) -> Any:
        return real(f"file:{path}?vfs=unix-dotfile", uri=True, **more)

    monkeypatch.setattr(sqlite3, "connect", connect)
    store = RunStore(tmp_path)
    assert journal_of(store._db._writer) == "delete"
    assert "does not share memory" in store.notice
    run = store.add(CONFIG, "ann", "lenet", "run")
    assert present(store.run(run)).status == "queued"
    store.close()
