"""A worker that writes what is no message: it is replaced, its run says so, the next one works."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cnnlab.jobs.estimate_cache import EstimateCache
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.local import process
from cnnlab.jobs.local.engine import LocalEngine
from cnnlab.jobs.local.process import Worker
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.store import RunStore
from tests.present import present
from tests.unit.run_server import CONFIG
from tests.waiting import wait_until

# Does every run at once, but where the file is there: then it writes that instead, for once.
WORKER = """
import json, os, pathlib, sys
out, bad = sys.stdout.buffer, pathlib.Path(sys.argv[1])
def say(**message):
    out.write(json.dumps(message).encode() + b"\\n"); out.flush()
say(ready=True)
for line in sys.stdin:
    command = json.loads(line)
    if "run" not in command:
        continue
    started = dict(type="started", device="cpu", precision="float32", layout="channels last",
                   params=1, train_images=2, test_images=2, steps=10)
    say(run=command["run"], event=started)
    if bad.exists():
        content = bad.read_bytes().replace(b"RUN", command["run"].encode())
        bad.unlink()
        try:
            while True:
                out.write(content); out.flush()
                if not content.endswith(b"for ever"):
                    break
        except BrokenPipeError:
            os._exit(0)
        continue
    say(run=command["run"], event=dict(type="finished", step=10, epoch=1, elapsed_s=1))
"""


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the next worker that trains will write; every worker is one of these."""
    real, bad = subprocess.Popen, tmp_path / "bad"

    def start(command: list[str], **more: Any) -> subprocess.Popen[str]:
        assert command[1:3] == ["-m", "cnnlab.jobs.local.worker"]
        return real([sys.executable, "-c", WORKER, str(bad)], **more)

    monkeypatch.setattr(subprocess, "Popen", start)
    return bad


@pytest.fixture
def manager(bad: Path, tmp_path: Path) -> Iterator[RunManager]:
    assert not bad.exists()
    store = RunStore(tmp_path / "home")
    manager = RunManager(store, LocalEngine(cpu_slots=1, cores=1), Settings())
    yield manager
    manager.close()
    store.close()


def run_to_its_end(manager: RunManager) -> tuple[str, str]:
    run = manager.submit(CONFIG, "ann", "lenet", "run")
    wait_until(lambda: present(manager.store.run(run)).ended_s, timeout_s=30)
    record = present(manager.store.run(run))
    return record.status, record.message


def event(text: str) -> bytes:
    return b'{"run": "RUN", "event": ' + text.encode() + b"}\n"


FINISHED = '{"type": "finished", "epoch": 1, "elapsed_s": 1, "step": %s}'
GARBAGE = {
    "bytes": bytes(range(255, 0, -1)) * 40 + b"\n",
    "zeros": bytes(10_000) + b"\n",
    "not JSON": b"Traceback (most recent call last):\n",
    "an empty line": b"\n",
    "a length in front": b"\x40\x00\x00\x00{}\n",
    "other JSON": b"5\n",
    "a list": b'["run", "event"]\n',
    "text": b'"alive or not"\n',
    "no event": b'{"run": "RUN"}\n',
    "no object": event("[]"),
    "another kind": event('{"type": "promoted"}'),
    "a missing number": event('{"type": "finished"}'),
    "a step that is none": event(FINISHED % "NaN"),
    "a number without an end": event(FINISHED % ("9" * 10_000)),
    "very deep": b"[" * 200_000 + b"\n",
    "an answer of another kind": b'{"estimate": "key", "answer": {"step_s": "soon"}}\n',
    "an answer to what is no question": b'{"estimate": [1], "answer": {"step_s": 1}}\n',
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_is_no_message_ends_the_run_and_the_next_one_works(
    manager: RunManager, bad: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    bad.write_bytes(content)
    status, message = run_to_its_end(manager)
    assert status == "failed"
    assert "what it wrote was no message" in message
    assert "its events end in" in caplog.text
    assert len(caplog.text) < 5000
    assert run_to_its_end(manager) == ("finished", "")


def test_a_line_that_never_ends_takes_a_bounded_amount_of_memory(
    manager: RunManager, bad: Path
) -> None:
    wait_until(lambda: manager.engine.warm)  # type: ignore[attr-defined]
    before = psutil.Process().memory_info().rss
    bad.write_bytes(b"x" * (1 << 16) + b"for ever")
    status, message = run_to_its_end(manager)
    assert status == "failed"
    assert "no message" in message
    assert psutil.Process().memory_info().rss - before < 8 * process.LINE_CHARACTERS
    assert run_to_its_end(manager) == ("finished", "")


def test_a_line_of_which_the_end_is_missing_is_a_death(manager: RunManager, bad: Path) -> None:
    """The process is killed while it writes, which says nothing of what it wrote."""
    bad.write_bytes(b'{"run": "RUN", "ev')
    run = manager.submit(CONFIG, "ann", "lenet", "run")
    wait_until(lambda: present(manager.store.run(run)).status == "running")
    wait_until(lambda: not bad.exists())
    engine = manager.engine
    assert isinstance(engine, LocalEngine)
    psutil.Process(engine.worker_pids()[0]).kill()
    wait_until(lambda: present(manager.store.run(run)).ended_s)
    assert "the system ended it" in present(manager.store.run(run)).message
    assert run_to_its_end(manager) == ("finished", "")


def test_an_idle_worker_that_writes_garbage_is_replaced_at_once(
    manager: RunManager, bad: Path
) -> None:
    engine = manager.engine
    assert isinstance(engine, LocalEngine)
    wait_until(lambda: engine.warm)
    (worker,) = engine.worker_pids()
    bad.write_bytes(b"no message\n")
    # A run that nobody follows is all that this one listens to.
    present(engine._workers[0]).send({"run": "unknown"})
    wait_until(lambda: engine.warm and engine.worker_pids() != [worker], timeout_s=5)
    assert run_to_its_end(manager) == ("finished", "")


def started(make: Callable[[], Worker]) -> Worker:
    worker = make()
    wait_until(lambda: worker.ready)
    return worker


def test_a_flood_of_events_that_nobody_takes_waits_in_the_pipe(
    bad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "UNTAKEN", 50)
    worker = started(lambda: Worker("cpu", lambda _: None, EstimateCache()))
    progress = (
        '{"type": "progress", "step": 1, "epoch": 1, "elapsed_s": 1, "train_loss": NaN, '
        '"train_accuracy": 0.5, "lr": 0.1, "images_per_s": 10, "eta_s": 1}'
    )
    bad.write_bytes(event(progress) * 5000)
    worker.send({"run": "r"})
    wait_until(worker._events.full)
    assert worker._events.qsize() == 50
    for _ in range(200):
        assert present(worker.next_event("r", 5))
    # What is left holds nobody up.
    worker.kill()
    assert not worker._listener.is_alive()


def test_a_worker_shares_the_cores_by_its_priority(bad: Path) -> None:
    """In a session of its own it would get as much as the server, however far it steps back."""
    assert not bad.exists()
    found = Worker("cpu", lambda _: None, EstimateCache())
    pid = found.process.pid
    try:
        assert os.getsid(pid) == os.getsid(0)
        assert os.getpgid(pid) == pid, "Ctrl-C would reach it"
    finally:
        found.kill()
