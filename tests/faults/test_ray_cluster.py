"""Runs on a real Ray cluster: three nodes on this machine, one of which only listens."""

import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cnnlab.errors import ConfigError
from cnnlab.jobs import choose
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.manager import RunManager
from cnnlab.jobs.ray.cluster import import_ray
from cnnlab.jobs.ray.engine import RayEngine
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig, checkpoint, train
from cnnlab.training.events import (
    Cancelled,
    Event,
    Failed,
    Finished,
    Measurement,
    Progress,
    Started,
)
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe
from tests.conftest import ROOT
from tests.present import present
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

SHORT = RunConfig(network="lenet", train_size=320, batch_size=32, epochs=4)
MIDDLING = SHORT.replace(epochs=24)
ENDLESS = SHORT.replace(train_size=4000, epochs=200)
# A process of the cluster imports PyTorch first, beside others that do.
SLOW_S = 120


class Nodes:
    """A cluster whose machines can be killed and joined by others."""

    def __init__(self, token: str) -> None:
        # As docs/cluster.md says; machines that are started from here inherit it.
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=token)
        import_ray()
        from ray.cluster_utils import Cluster

        # Not 127.0.0.1, which Ray would replace by an address that others can reach.
        self._limits: dict[str, Any] = {
            "object_store_memory": 100 * 2**20,
            "node_ip_address": "127.0.0.2",
        }
        head = {"num_cpus": 0, "include_dashboard": False, **self._limits}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.address = self.cluster.address

    def fill(self) -> None:
        """Two machines with one core each, whatever an earlier test did to them."""
        while len(self.cluster.worker_nodes) < 2:
            self.join()

    def join(self) -> None:
        self.cluster.add_node(num_cpus=1, **self._limits)

    def kill_all(self) -> None:
        for node in list(self.cluster.worker_nodes):
            self.cluster.remove_node(node, allow_graceful=False)


@pytest.fixture(scope="module")
def machines() -> Iterator[Nodes]:
    patch = pytest.MonkeyPatch()
    for variable in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        patch.delenv(variable, raising=False)
    nodes = Nodes(secrets.token_hex(16))
    yield nodes
    nodes.cluster.shutdown()
    os.environ.pop("RAY_AUTH_MODE")
    os.environ.pop("RAY_AUTH_TOKEN")
    patch.undo()


@pytest.fixture
def nodes(machines: Nodes) -> Nodes:
    machines.fill()
    return machines


@contextmanager
def engine_on(nodes: Nodes, **settings: Any) -> Iterator[RayEngine]:
    given = {"engine": "ray", "ray_address": nodes.address, "ray_gpus_per_run": 0} | settings
    engine = choose.engine(Settings(**given))
    assert isinstance(engine, RayEngine)
    try:
        yield engine
    finally:
        engine.close()


def follow(
    engine: RayEngine,
    run: str,
    config: RunConfig,
    folder: Path,
    act: Callable[[], object],
    at_step: int = 3,
) -> list[Event]:
    """All events of a run; `act` is done once, when it has come so far."""
    events, acted = [], False
    for event in engine.submit(0, run, config, folder / f"{run}.safetensors"):
        events.append(event)
        if not acted and isinstance(event, Progress) and event.step >= at_step:
            act()
            acted = True
    assert acted
    return events


@pytest.fixture(scope="class")
def engine(machines: Nodes) -> Iterator[RayEngine]:
    machines.fill()
    with engine_on(machines, ray_slots=3) as engine:
        yield engine


class TestOneEngine:
    """What one engine does, its processes warm after the first run. The last test maims it."""

    def test_a_run_can_be_stopped_and_keeps_its_weights(
        self, engine: RayEngine, tmp_path: Path
    ) -> None:
        events = follow(engine, "a", ENDLESS, tmp_path, lambda: engine.cancel("a"))
        assert isinstance(events[-1], Cancelled)
        assert events[-1].note is None
        assert checkpoint.load(Path(present(events[-1].weights)))[1] == ENDLESS.replace(
            device="cpu"
        )
        events = list(engine.submit(0, "b", SHORT, tmp_path / "b.safetensors"))
        assert isinstance(events[-1], Finished)

    def test_a_machine_says_how_fast_it_is(self, engine: RayEngine) -> None:
        wait_until(lambda: engine.estimate(0, SHORT) is not None, timeout_s=SLOW_S)
        found = present(engine.estimate(0, SHORT))
        assert found.problem == ""
        assert found.run_s(SHORT) > 0
        # Another kind of run is another question.
        assert engine.estimate(0, SHORT.replace(batch_size=16)) is None

    def test_weights_that_find_no_room_are_said_so(self, engine: RayEngine, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("not a folder", encoding="utf-8")
        events = list(engine.submit(0, "a", SHORT, tmp_path / "file" / "a.safetensors"))
        assert isinstance(events[-1], Finished)
        assert events[-1].weights is None
        assert "could not be saved" in present(events[-1].note)

    def test_a_run_that_cannot_begin_says_why(
        self, engine: RayEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        absent = SHORT.replace(device="cuda:99")
        monkeypatch.setattr(engine, "_placed", lambda _: absent)
        (event,) = engine.submit(0, "a", SHORT, tmp_path / "a.safetensors")
        assert isinstance(event, Failed)
        assert "There is no device 'cuda:99' on this machine" in event.message

    def test_a_run_that_waits_for_room_or_does_not_listen_is_ended(
        self, engine: RayEngine, tmp_path: Path
    ) -> None:
        started = threading.Barrier(3)

        def fill_a_machine(run: str) -> None:
            follow(engine, run, ENDLESS, tmp_path, lambda: started.wait(SLOW_S), at_step=1)

        threads = [threading.Thread(target=fill_a_machine, args=(run,)) for run in ("a", "b")]
        for thread in threads:
            thread.start()
        started.wait(SLOW_S)
        engine.cancel("c")
        events = list(engine.submit(2, "c", SHORT, tmp_path / "c.safetensors"))
        (event,) = events
        assert isinstance(event, Cancelled)
        assert "weights could not be kept" in present(event.note)
        # Nobody passes a stop on any more, so that only force can end the other two.
        engine._ray.kill(engine._stops)
        engine.cancel("a")
        engine.cancel("b")
        for thread in threads:
            thread.join(SLOW_S)
            assert not thread.is_alive()


@pytest.fixture(scope="class")
def manager(machines: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunManager]:
    machines.fill()
    with engine_on(machines) as engine:
        manager = RunManager(RunStore(tmp_path_factory.mktemp("home")), engine, Settings())
        yield manager
        manager.close()


class TestOneManager:
    """What one server does with the cluster. The last test takes its machines away."""

    def test_two_runs_at_once_give_the_curve_of_this_machine(self, manager: RunManager) -> None:
        assert manager.engine.devices == ["cluster"] * 2
        endless = [manager.submit(ENDLESS, name, "lenet", name) for name in ("ada", "ben")]
        wait_until(lambda: all(manager.store.curve(run).steps for run in endless), SLOW_S)
        assert {present(manager.store.run(run)).status for run in endless} == {"running"}
        for run, name in zip(endless, ("ada", "ben"), strict=True):
            manager.stop(run, name)
        short = manager.submit(SHORT, "cyd", "lenet", "short")
        wait_until(lambda: present(manager.store.run(short)).ended_s, SLOW_S)
        record, curve = present(manager.store.run(short)), manager.store.curve(short)
        assert {present(manager.store.run(run)).status for run in endless} == {"cancelled"}
        assert record.status == "finished"
        assert record.environment["device"] == "cpu"
        here = [event for event in train(SHORT) if isinstance(event, Progress)]
        assert curve.steps == [event.step for event in here]
        assert curve.train_loss == pytest.approx([event.train_loss for event in here], rel=1e-3)
        assert checkpoint.load(Path(present(record.weights)))[1].epochs == SHORT.epochs

    def test_a_machine_that_dies_leaves_a_failed_run_with_its_points(
        self, manager: RunManager, machines: Nodes
    ) -> None:
        run = manager.submit(ENDLESS, "ada", "lenet", "doomed")
        wait_until(lambda: len(manager.store.curve(run).steps) > 3, SLOW_S)
        machines.kill_all()
        wait_until(lambda: present(manager.store.run(run)).ended_s, SLOW_S)
        record, curve = present(manager.store.run(run)), manager.store.curve(run)
        assert record.status == "failed"
        assert "its machine left the cluster" in record.message
        assert len(curve.steps) > 3


def test_a_restarted_run_gives_one_curve_without_repetition(nodes: Nodes, tmp_path: Path) -> None:
    def storm() -> None:
        nodes.kill_all()
        nodes.join()

    observed = MIDDLING.replace(probes=[LayerStatisticsProbe(every=10)])
    with engine_on(nodes, ray_restarts=1) as engine:
        events = follow(engine, "a", observed, tmp_path, storm)
    assert sum(isinstance(event, Started) for event in events) == 1
    steps = [event.step for event in events if isinstance(event, Progress)]
    assert steps == list(range(1, 241))
    measured = [(e.step, e.layer) for e in events if isinstance(e, Measurement)]
    assert len(measured) == len(set(measured))
    assert {step for step, _ in measured} == {1, *range(10, 241, 10)}
    assert len({layer for _, layer in measured}) * 25 == len(measured)
    seconds = [event.elapsed_s for event in events if not isinstance(event, Started)]
    assert seconds == sorted(seconds)
    assert isinstance(events[-1], Finished)
    assert "started again once" in present(events[-1].note)
    assert Path(present(events[-1].weights)).exists()


def test_a_cluster_without_room_is_refused(nodes: Nodes) -> None:
    with pytest.raises(ConfigError, match="CNNLAB_RAY_CPUS_PER_RUN"):
        choose.engine(Settings(engine="ray", ray_address=nodes.address, ray_gpus_per_run=1))


JOIN = """
import sys
from cnnlab.errors import ConfigError
from cnnlab.jobs import choose
from cnnlab.jobs.limits import Settings
try:
    choose.engine(Settings(engine="ray", ray_address=sys.argv[1], ray_gpus_per_run=0))
except ConfigError as error:
    print(error)
"""


def test_whoever_does_not_have_the_token_is_refused(nodes: Nodes) -> None:
    done = subprocess.run(
        [sys.executable, "-c", JOIN, nodes.address],
        cwd=ROOT,
        env=os.environ | {"RAY_AUTH_TOKEN": secrets.token_hex(16)},
        capture_output=True,
        text=True,
        timeout=SLOW_S,
        check=False,
    )
    assert "no Ray cluster can be joined" in done.stdout
    assert "the same token" in done.stdout
    assert "InvalidAuthToken" in done.stderr


def test_an_address_where_nobody_answers_is_refused() -> None:
    with pytest.raises(ConfigError, match="no Ray cluster can be joined"):
        choose.engine(Settings(engine="ray", ray_address="127.0.0.2:9"))
