"""A group on real processes: side by side, with one of them killed, and given back when idle."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnlab.jobs.limits import Settings
from cnnlab.jobs.local import engine as local
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.store import RunRecord, RunStore
from cnnlab.training import RunConfig
from tests.conftest import ROOT
from tests.faults.test_worker_dies import gone
from tests.present import present
from tests.unit.run_server import FakeEngine
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("few_pictures")

SHORT = RunConfig(network="lenet", train_size=256, batch_size=128, epochs=2, precision="float32")
LONG = SHORT.replace(epochs=200)
SLOW_S = 120


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunManager]:
    patch = pytest.MonkeyPatch()
    patch.setattr(local, "IDLE_S", 2.0)
    store = RunStore(tmp_path_factory.mktemp("home"))
    manager = RunManager(store, local.LocalEngine(cores=2), Settings())
    yield manager
    manager.close()
    store.close()
    patch.undo()


def submit(manager: RunManager, *configs: RunConfig) -> tuple[str, list[str]]:
    group = manager.submit_group(configs, "ann", "lenet", "group")
    return group, [run.id for run in manager.store.groups.runs(group)]


def pids(manager: RunManager) -> list[int]:
    assert isinstance(manager.engine, local.LocalEngine)
    return manager.engine.worker_pids()


def points(manager: RunManager, run: str) -> int:
    return len(manager.store.curve(run).steps)


def seeds(config: RunConfig, size: int) -> list[RunConfig]:
    return [config.replace(seed=seed) for seed in range(size)]


def ended(manager: RunManager, group: str) -> list[RunRecord]:
    wait_until(lambda: all(run.ended_s for run in manager.store.groups.runs(group)), SLOW_S)
    return manager.store.groups.runs(group)


def test_a_killed_process_fails_one_run_and_the_group_goes_on(manager: RunManager) -> None:
    group, runs = submit(manager, LONG, LONG.replace(seed=1), *seeds(SHORT, 4))
    wait_until(lambda: all(points(manager, run) > 2 for run in runs[:2]), SLOW_S)
    assert len(pids(manager)) == 2
    os.kill(pids(manager)[1], signal.SIGKILL)
    wait_until(
        lambda: sum(run.status == "failed" for run in manager.store.groups.runs(group)) == 1, SLOW_S
    )
    # The other one trains through it all, while the short ones go on in the fresh process.
    wait_until(
        lambda: all(run.ended_s for run in manager.store.groups.runs(group)[2:]), timeout_s=SLOW_S
    )
    (still,) = [run.id for run in manager.store.groups.runs(group) if run.ended_s is None]
    manager.stop(still, "ann")
    records = ended(manager, group)
    assert sorted(run.status for run in records[:2]) == ["cancelled", "failed"]
    assert [run.status for run in records[2:]] == ["finished"] * 4
    (failed,) = [run for run in records if run.status == "failed"]
    assert "broke off" in failed.message
    assert points(manager, failed.id) > 2


def test_a_group_has_one_thread_a_run_and_gives_its_processes_back(manager: RunManager) -> None:
    group, _ = submit(manager, *seeds(SHORT, 3))
    assert [run.status for run in ended(manager, group)] == ["finished"] * 3
    first = pids(manager)[0]
    wait_until(lambda: pids(manager) == [first], timeout_s=30)
    single = manager.submit(SHORT, "ann", "lenet")
    wait_until(lambda: (run := manager.store.run(single)) and run.ended_s, SLOW_S)
    assert pids(manager) == [first]


def test_equal_runs_of_a_group_are_equal_bit_for_bit(manager: RunManager) -> None:
    """Whichever process does them, and also when stopped runs came before."""
    group, runs = submit(manager, LONG, LONG, LONG)
    wait_until(lambda: points(manager, runs[0]) > 2, SLOW_S)
    manager.stop_group(group, "ann", wait_s=10)
    assert {run.status for run in ended(manager, group)} == {"cancelled"}
    _, runs = submit(manager, SHORT, SHORT, SHORT)
    wait_until(lambda: all((r := manager.store.run(run)) and r.ended_s for run in runs), SLOW_S)
    curves = [manager.store.curve(run) for run in runs]
    assert curves[0].train_loss
    assert all(curve.train_loss == curves[0].train_loss for curve in curves)
    assert all(curve.test_loss == curves[0].test_loss for curve in curves)


SERVER = """
import sys
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.local.engine import LocalEngine
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.store import RunStore
from tests.faults.test_group_faults import LONG, points, seeds, submit
from tests.waiting import wait_until
manager = RunManager(RunStore.open_default(), LocalEngine(cores=2), Settings())
group, runs = submit(manager, *seeds(LONG, 4))
wait_until(lambda: all(points(manager, run) > 2 for run in runs[:2]), 120)
print(group, *manager.engine.worker_pids(), flush=True)
sys.stdin.read()
"""


def test_a_killed_server_leaves_no_worker_and_its_group_to_the_next_one(tmp_path: Path) -> None:
    """Two of its runs go on and two wait when the server dies."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=ROOT,
        env=os.environ | {"CNNLAB_HOME": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        group, *workers = present(server.stdout).readline().split()
        assert len(workers) == 2
        os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: all(gone(int(worker)) for worker in workers), timeout_s=20)
    store = RunStore(tmp_path)
    manager = RunManager(store, FakeEngine(slots=0), Settings())
    runs = store.groups.runs(group)
    assert [run.status for run in runs] == ["interrupted"] * 4
    assert all("server was stopped" in run.message for run in runs)
    curves = [store.curve(run.id).steps for run in runs]
    assert [len(steps) > 2 for steps in curves] == [True, True, False, False]
    # No point is lost.
    assert all(steps == list(range(1, len(steps) + 1)) for steps in curves)
    manager.delete_group(group, "ann")
    assert store.runs("ann") == []
    manager.close()
    store.close()
