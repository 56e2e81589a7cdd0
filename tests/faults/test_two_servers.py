"""Two servers that share a home, as real processes under load; one of them is killed."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from cnnlab.errors import TrainingError
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.store import ACTIVE, SERVER_STOPPED, RunStore
from tests.conftest import ROOT
from tests.messages import next_message
from tests.present import present
from tests.unit.run_server import CONFIG, SETTINGS, FakeEngine
from tests.waiting import wait_until

# One run after the other: points, then an end; each third is deleted again. Then one that stays.
SERVER = """
import json, sys
from pathlib import Path
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.store import RunStore
from tests.unit.run_server import CONFIG, SETTINGS, STARTED, FakeEngine, progress
from tests.waiting import wait_until
home, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store, engine = RunStore(home), FakeEngine()
manager = RunManager(store, engine, SETTINGS)
print(json.dumps({"ready": True}), flush=True)
sys.stdin.readline()
kept = []
def begin():
    run = manager.submit(CONFIG, "ann", "lenet", name)
    wait_until(lambda: run in engine.begun)
    engine.put(run, STARTED)
    for step in range(1, 21):
        engine.put(run, progress(step))
    return run
for number in range(count):
    run = begin()
    engine.finish(run)
    wait_until(lambda: store.run(run).ended_s)
    store.runs("ann")
    if number % 3 == 2:
        manager.delete(run, "ann")
    else:
        kept.append(run)
running, waiting = begin(), manager.submit(CONFIG, "ann", "lenet", name)
wait_until(lambda: store.run(running).status == "running")
print(json.dumps({"kept": kept, "active": [running, waiting]}), flush=True)
for line in sys.stdin:
    pass
"""
RUNS = 30


class Other:
    """A server in a process of its own."""

    def __init__(self, home: Path, name: str) -> None:
        command = [sys.executable, "-c", SERVER, str(home), name, str(RUNS)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(present(self.process.stdout).readline())
        return found

    def begin(self) -> None:
        stdin: IO[str] = present(self.process.stdin)
        stdin.write("begin\n")
        stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Other, Other]]:
    pair = Other(tmp_path, "one"), Other(tmp_path, "two")
    yield pair
    for server in pair:
        server.end()


def test_two_servers_share_a_home_and_one_marks_what_the_other_left(
    pair: tuple[Other, Other], tmp_path: Path
) -> None:
    one, two = pair
    # They opened the folder at the same moment; now both write to it.
    for server in pair:
        assert next_message(server.process.stdout) == {"ready": True}
    for server in pair:
        server.begin()
    told = [server.tell() for server in pair]
    store = RunStore(tmp_path)
    assert store.notice == ""
    records = store.runs("ann", limit=1000)
    names = [record.id for record in records]
    assert len(names) == len(set(names))
    assert {*names} == {run for found in told for run in found["kept"] + found["active"]}
    for record in records:
        if record.id in told[0]["kept"] + told[1]["kept"]:
            assert (record.status, store.curve(record.id).steps) == ("finished", [*range(1, 21)])

    # One is killed, the other lives; whoever looks next marks only what the dead one left.
    one.process.send_signal(signal.SIGKILL)
    one.process.wait()
    assert store.mark_orphans() == 2
    for run in told[0]["active"]:
        record = present(store.run(run))
        assert (record.status, record.message) == ("interrupted", SERVER_STOPPED)
    assert [present(store.run(run)).status for run in told[1]["active"]] == ["running", "queued"]
    assert store.mark_orphans() == 0
    assert two.process.poll() is None
    store.close()


@pytest.fixture
def managers(tmp_path: Path) -> Iterator[tuple[RunManager, RunManager]]:
    pair = tuple(RunManager(RunStore(tmp_path), FakeEngine(), SETTINGS) for _ in range(2))
    yield pair[0], pair[1]
    for manager in pair:
        manager.close()
        manager.store.close()


def begun(here: RunManager) -> tuple[str, FakeEngine]:
    """A run that goes on in a server, and what does it there."""
    run, engine = here.submit(CONFIG, "ann", "lenet", "run"), here.engine
    assert isinstance(engine, FakeEngine)
    wait_until(lambda: run in engine.begun)
    return run, engine


def test_a_run_of_the_other_server_can_be_looked_at_but_not_deleted_while_it_goes_on(
    managers: tuple[RunManager, RunManager],
) -> None:
    here, there = managers
    run, _ = begun(here)
    assert [record.id for record in there.store.runs("ann")] == [run]
    with pytest.raises(TrainingError, match="Stop it first"):
        there.delete(run, "ann")
    # Its own server does, and deletes it while the other reads on without an error.
    reading, ended = threading.Event(), []

    def read() -> None:
        while not reading.is_set():
            there.store.run(run)
            ended.append(len(there.store.curve(run).steps))

    reader = threading.Thread(target=read)
    reader.start()
    here.stop(run, "ann")
    wait_until(lambda: present(here.store.run(run)).status not in ACTIVE)
    here.delete(run, "ann")
    wait_until(lambda: ended)
    reading.set()
    reader.join()
    assert there.store.run(run) is None
    assert there.store.runs("ann") == []


def test_a_stop_from_the_other_server_is_answered_with_a_sentence(
    managers: tuple[RunManager, RunManager],
) -> None:
    here, there = managers
    run, engine = begun(here)
    with pytest.raises(TrainingError, match="Another server"):
        there.stop(run, "ann")
    assert engine.cancelled == []
    assert present(there.store.run(run)).status in ACTIVE
