"""Processes that die or hang in the middle of a run: the reader is told, and the next run works."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cnnlab.jobs.health import STARTING, Health
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.local import process
from cnnlab.jobs.local.engine import LocalEngine
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig, train
from cnnlab.training.events import Measurement
from tests.conftest import ROOT
from tests.messages import next_message
from tests.present import present
from tests.unit.probing import every_probe
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("few_pictures")

SHORT = RunConfig(network="lenet", train_size=256, batch_size=128, epochs=2)
LONG = SHORT.replace(epochs=200)
# One step of this takes a worker longer than any of the waits here.
LONG_STEP = RunConfig(network="vgg", options="d2l", image_size=128, batch_size=64, train_size=256)


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunManager]:
    store = RunStore(tmp_path_factory.mktemp("home"))
    manager = RunManager(store, LocalEngine(), Settings())
    yield manager
    manager.close()
    store.close()


def engine(manager: RunManager) -> LocalEngine:
    assert isinstance(manager.engine, LocalEngine)
    return manager.engine


def pid(manager: RunManager) -> int:
    return engine(manager).worker_pids()[0]


def gone(number: int) -> bool:
    """Also when nobody has collected what is left of it."""
    try:
        return psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def submit(manager: RunManager, config: RunConfig) -> str:
    return manager.submit(config, "ann", "lenet", "run")


def wait_for_points(manager: RunManager, run: str) -> None:
    wait_until(lambda: len(manager.store.curve(run).steps) > 2, timeout_s=60)


def wait_for(manager: RunManager, run: str, status: str) -> None:
    wait_until(lambda: present(manager.store.run(run)).status == status, timeout_s=60)


def test_what_probes_read_in_a_worker_arrives_in_the_store(manager: RunManager) -> None:
    config = SHORT.replace(
        options={"batch_norm": True}, probes=every_probe(), device="cpu", precision="float32"
    )
    run = submit(manager, config)
    wait_until(lambda: present(manager.store.run(run)).ended_s, timeout_s=60)
    assert present(manager.store.run(run)).status == "finished"
    there = manager.store.measurements(run)
    here = [event for event in train(config) if isinstance(event, Measurement)]
    assert [(m.step, m.kind, m.layer) for m in there] == [(m.step, m.kind, m.layer) for m in here]
    assert [set(m.values) for m in there] == [set(m.values) for m in here]
    # A sample depends on the memory layout, which each process chooses by what it measured; the
    # norm is of all weights.
    first, same = (found[0].values["weight_norm"] for found in (there, here))
    assert first == pytest.approx(same, rel=1e-3)


def check_that_the_next_run_works(manager: RunManager) -> None:
    run = submit(manager, SHORT)
    wait_until(lambda: present(manager.store.run(run)).ended_s, timeout_s=60)
    record = present(manager.store.run(run))
    assert (record.status, record.message) == ("finished", "")
    assert manager.store.weights_path(run).exists()
    assert manager.store.curve(run).steps[-1] == 4


def test_a_killed_worker_fails_its_run_and_keeps_the_points(manager: RunManager) -> None:
    run, worker = submit(manager, LONG), pid(manager)
    wait_for_points(manager, run)
    os.kill(worker, signal.SIGKILL)
    wait_for(manager, run, "failed")
    assert "broke off" in present(manager.store.run(run)).message
    assert "memory" in present(manager.store.run(run)).message
    assert len(manager.store.curve(run).steps) > 2
    check_that_the_next_run_works(manager)
    assert gone(worker)


def test_a_worker_killed_between_two_runs_is_replaced(manager: RunManager) -> None:
    os.kill(pid(manager), signal.SIGKILL)
    check_that_the_next_run_works(manager)


def test_a_stopped_run_keeps_its_weights_and_its_worker(manager: RunManager) -> None:
    run, worker = submit(manager, LONG), pid(manager)
    wait_for_points(manager, run)
    manager.stop(run, "ann")
    wait_for(manager, run, "cancelled")
    check_that_the_next_run_works(manager)
    assert pid(manager) == worker
    assert manager.store.weights_path(run).exists()


def test_a_worker_that_hangs_is_ended_by_a_stop(manager: RunManager) -> None:
    run, worker = submit(manager, LONG), pid(manager)
    wait_for_points(manager, run)
    os.kill(worker, signal.SIGSTOP)
    manager.stop(run, "ann")
    wait_for(manager, run, "cancelled")
    assert "long step" in present(manager.store.run(run)).message
    assert len(manager.store.curve(run).steps) > 2
    check_that_the_next_run_works(manager)
    assert gone(worker)


def wait_until_warm(manager: RunManager) -> None:
    wait_until(lambda: engine(manager).warm, timeout_s=60)


def test_a_worker_that_dies_idle_is_replaced_before_the_next_run(manager: RunManager) -> None:
    wait_until_warm(manager)
    worker = pid(manager)
    os.kill(worker, signal.SIGSEGV)
    wait_until(lambda: pid(manager) != worker)
    wait_until_warm(manager)
    fresh = pid(manager)
    check_that_the_next_run_works(manager)
    assert pid(manager) == fresh


def test_a_stop_during_the_warm_up_keeps_the_worker(manager: RunManager) -> None:
    wait_until_warm(manager)
    os.kill(pid(manager), signal.SIGKILL)
    wait_until(lambda: not engine(manager).warm)
    worker = pid(manager)
    run = submit(manager, LONG)
    wait_until(lambda: manager.place(run) is None)
    manager.stop(run, "ann")
    wait_for(manager, run, "cancelled")
    assert "long step" not in present(manager.store.run(run)).message
    check_that_the_next_run_works(manager)
    assert pid(manager) == worker


PARENT = """
import subprocess, sys
command = [sys.executable, "-m", "cnnlab.jobs.local.worker"]
worker = subprocess.Popen(command, stdin=int(sys.argv[1]), stdout=subprocess.PIPE)
worker.stdout.readline()
print(worker.pid, flush=True)
worker.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a parent's death")
def test_a_worker_dies_with_its_parent_though_its_input_stays_open() -> None:
    theirs, ours = os.pipe()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", PARENT, str(theirs)],
            cwd=ROOT,
            pass_fds=[theirs],
            stdout=subprocess.PIPE,
            text=True,
        ) as parent:
            worker = int(present(parent.stdout).readline())
            assert not gone(worker)
            parent.kill()
        wait_until(lambda: gone(worker))
    finally:
        os.close(theirs)
        os.close(ours)


def test_a_worker_ends_in_the_middle_of_a_step_and_writes_only_events_to_its_output() -> None:
    """Here its server dies while it gives a command; the log goes to standard error."""

    def command(config: dict[str, Any]) -> str:
        return json.dumps({"run": "r", "config": config, "weights": "w"}) + "\n"

    with subprocess.Popen(
        [sys.executable, "-m", "cnnlab.jobs.local.worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        present(worker.stdin).write(command({"network": "?"}) + command(LONG_STEP.model_dump()))
        present(worker.stdin).flush()
        assert next_message(worker.stdout) == {"ready": True}
        answers = [next_message(worker.stdout) for _ in range(2)]
        assert [answer["event"]["type"] for answer in answers] == ["failed", "started"]
        rest, log = worker.communicate(command(LONG_STEP.model_dump())[:20], timeout=5)
    assert {*rest.splitlines()} <= {'{"alive": true}'}
    assert "broke off" in log
    assert worker.returncode == 0


def test_a_worker_that_is_stopped_in_a_run_is_noticed_and_replaced(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until_warm(manager)
    run, worker = submit(manager, LONG), pid(manager)
    wait_for_points(manager, run)
    monkeypatch.setattr(process, "SILENT_S", 3.0)
    waiting = manager.submit(SHORT, "ben", "lenet", "run")
    os.kill(worker, signal.SIGSTOP)
    wait_for(manager, run, "failed")
    assert "stopped answering" in present(manager.store.run(run)).message
    monkeypatch.undo()
    wait_for(manager, waiting, "finished")
    assert gone(worker)


def test_a_worker_that_is_stopped_idle_is_replaced_before_the_next_run(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until_warm(manager)
    worker = pid(manager)
    monkeypatch.setattr(process, "SILENT_S", 3.0)
    assert Health.of(manager).status == "ok"
    os.kill(worker, signal.SIGSTOP)
    # Far more than a pipe holds: nobody waits for a process that reads nothing.
    for number in range(5000):
        present(engine(manager)._workers[0]).send({"cancel": f"{number}" * 100})
    wait_until(lambda: pid(manager) != worker)
    assert STARTING in Health.of(manager).problems
    monkeypatch.undo()
    check_that_the_next_run_works(manager)
    assert gone(worker)


def test_a_run_of_which_nothing_is_heard_is_ended(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    server = RunManager(store, LocalEngine(step_limit_s=0.5), Settings())
    try:
        wait_until_warm(server)
        run = server.submit(LONG_STEP.replace(precision="float32"), "ann", "vgg", "run")
        wait_for(server, run, "failed")
        assert "Nothing came of a step for 0.5 s" in present(store.run(run)).message
    finally:
        server.close()
        store.close()
