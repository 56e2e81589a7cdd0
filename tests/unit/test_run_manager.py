"""The manager's rules, with an engine that does what the test says and a clock set by hand."""

import queue
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cnnlab.errors import TrainingError
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.manager import Place, RunManager
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig
from cnnlab.training.estimate import Estimate
from cnnlab.training.events import Cancelled, Event, Failed, Finished, Progress, Started
from tests.waiting import wait_until

CONFIG = RunConfig(network="lenet")
SETTINGS = Settings(grace_s=100, run_limit_s=1000, queue_per_visitor=3)
STARTED = Started(
    device="cpu",
    precision="float32",
    layout="channels last",
    params=1,
    train_images=2,
    test_images=2,
    steps=10,
)


def progress(step: int, eta_s: float = 7) -> Progress:
    return Progress(
        step=step,
        epoch=1,
        elapsed_s=1,
        train_loss=1,
        train_accuracy=0.5,
        lr=0.1,
        images_per_s=10,
        eta_s=eta_s,
    )


class FakeEngine:
    """Gives the events that the test puts in, and ends a run that is cancelled."""

    def __init__(self, slots: int = 1) -> None:
        self.known: dict[int, Estimate] = {}
        self.devices: Sequence[str] = [f"gpu {slot}" for slot in range(slots)]
        self.only_slot: int | None = None
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.given_up: list[str] = []
        self._events: dict[str, queue.Queue[Event | Exception | None]] = {}

    def takes(self, slot: int, config: RunConfig) -> bool:  # noqa: ARG002
        return self.only_slot in (None, slot)

    def estimate(self, slot: int, config: RunConfig) -> Estimate | None:  # noqa: ARG002
        return self.known.get(slot)

    def share(self, slot: int, grouped: bool) -> Fraction:  # noqa: ARG002
        return Fraction(1)

    def submit(
        self,
        slot: int,
        run: str,
        config: RunConfig,
        weights: Path,
        grouped: bool = False,  # noqa: ARG002
    ) -> Iterator[Event]:
        assert 0 <= slot < len(self.devices)
        assert config.network == "lenet"
        assert weights.stem == run
        self._events[run] = queue.Queue()
        self.begun.append(run)
        return self._give(run)

    def _give(self, run: str) -> Iterator[Event]:
        ended = False
        try:
            while (event := self._events[run].get()) is not None:
                if isinstance(event, Exception):
                    raise event
                ended = isinstance(event, Finished | Cancelled | Failed)
                yield event
        finally:
            if not ended:
                self.given_up.append(run)

    def put(self, run: str, event: Event | Exception | None) -> None:
        self._events[run].put(event)

    def finish(self, run: str) -> None:
        self.put(run, Finished(step=10, epoch=1, elapsed_s=1, weights="file"))

    def cancel(self, run: str) -> None:
        self.cancelled.append(run)
        if run in self._events:
            self.put(run, Cancelled(step=1, epoch=0.1, elapsed_s=1))

    def close(self) -> None:
        for run in self._events:
            self.put(run, Failed(message="the engine was closed"))


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Server:
    """A manager with all that a test wants to look at."""

    def __init__(self, home: Path, slots: int = 1) -> None:
        self.store, self.engine, self.clock = RunStore(home), FakeEngine(slots), Clock()
        self.manager = RunManager(self.store, self.engine, SETTINGS, self.clock)

    def submit(self, visitor: str) -> str:
        return self.manager.submit(CONFIG, visitor, "lenet", "run")

    def begin(self, visitor: str) -> str:
        """Submit to a free slot and wait until the engine has the run."""
        run = self.submit(visitor)
        wait_until(lambda: run in self.engine.begun)
        return run

    def wait_for(self, run: str, status: str) -> None:
        wait_until(lambda: self.store.run(run).status == status)

    def message(self, run: str) -> str:
        return self.store.run(run).message


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.manager.close()
    server.store.close()


def test_a_run_goes_from_the_queue_to_its_end(server: Server) -> None:
    run = server.begin("ann")
    assert server.store.run(run).status == "queued"
    server.engine.put(run, STARTED)
    server.engine.put(run, progress(1))
    wait_until(lambda: server.store.curve(run).steps == [1])
    record = server.store.run(run)
    assert record.status == "running"
    assert record.environment["device"] == "cpu"
    assert {"torch", "torchvision", "python"} <= set(record.environment)
    server.engine.put(run, progress(2))
    server.engine.finish(run)
    server.wait_for(run, "finished")
    assert server.store.run(run).weights == "file"
    assert server.store.run(run).figures["step"] == 10
    assert server.store.curve(run).steps == [1, 2]


def test_visitors_take_turns(server: Server) -> None:
    """Whoever comes during somebody's run goes before that somebody's next one."""
    first = server.begin("pile")
    pile = [server.submit("pile") for _ in range(2)]
    late = server.submit("late")
    order = [first, late, *pile]
    for i, run in enumerate(order):
        wait_until(lambda run=run: run in server.engine.begun)
        assert server.engine.begun == order[: i + 1]
        server.engine.finish(run)
    server.wait_for(pile[1], "finished")


def test_a_run_waits_for_a_slot_that_takes_it(tmp_path: Path) -> None:
    server = Server(tmp_path, slots=2)
    server.engine.only_slot = 1
    first, second = server.begin("ann"), server.submit("bob")
    assert server.manager.place(second).place == 1
    assert server.engine.begun == [first]
    server.engine.finish(first)
    wait_until(lambda: second in server.engine.begun)
    server.manager.close()
    server.store.close()


def test_only_so_many_wait_for_one_visitor(server: Server) -> None:
    server.begin("ann")
    waiting = [server.submit("ann") for _ in range(SETTINGS.queue_per_visitor)]
    with pytest.raises(TrainingError, match="already have 3 runs waiting"):
        server.submit("ann")
    assert len(server.store.runs("ann")) == 4
    server.submit("bob")
    server.manager.stop(waiting[0], "ann")
    server.submit("ann")


def test_each_slot_does_one_run(tmp_path: Path) -> None:
    server = Server(tmp_path, slots=2)
    runs = [server.begin("ann"), server.begin("ann")]
    third = server.submit("ann")
    assert third not in server.engine.begun
    server.engine.finish(runs[1])
    wait_until(lambda: third in server.engine.begun)
    server.manager.close()
    server.store.close()


def test_a_place_in_the_line(server: Server) -> None:
    running = server.begin("ann")
    first, second = server.submit("bob"), server.submit("cy")
    assert server.manager.place(running) is None
    assert server.manager.place("unknown") is None
    assert server.manager.place(first) == Place(1, None)
    server.engine.put(running, progress(1, eta_s=42))
    wait_until(lambda: server.manager.place(first) == Place(1, 42))
    # No run has shown yet how long one takes.
    assert server.manager.place(second) == Place(2, None)

    server.clock.now_s += 30
    server.engine.finish(running)
    wait_until(lambda: first in server.engine.begun)
    server.engine.put(first, progress(1, eta_s=8))
    third = server.submit("dan")
    wait_until(lambda: server.manager.place(second) == Place(1, 8))
    assert server.manager.place(third) == Place(2, 38)


def test_no_run_is_expected_to_take_longer_than_it_may(server: Server) -> None:
    running, waiting = server.begin("ann"), server.submit("bob")
    server.engine.put(running, progress(1, eta_s=1e6))
    wait_until(lambda: server.manager.place(waiting) == Place(1, SETTINGS.run_limit_s))


def test_a_waiting_run_is_stopped_at_once(server: Server) -> None:
    running, waiting = server.begin("ann"), server.submit("ann")
    server.manager.stop(waiting, "ann")
    assert server.store.run(waiting).status == "cancelled"
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


def test_a_reader_who_is_gone_loses_the_run_after_the_grace_period(server: Server) -> None:
    running, waiting = server.begin("gone"), server.submit("gone")
    server.clock.now_s = SETTINGS.grace_s
    server.manager.check()
    assert server.engine.cancelled == []
    server.clock.now_s += 1
    server.manager.check()
    server.wait_for(running, "cancelled")
    server.wait_for(waiting, "cancelled")
    for run in (running, waiting):
        assert "nobody had watched it for 100 s" in server.message(run)


def test_a_reader_who_looks_in_keeps_the_run(server: Server) -> None:
    run = server.begin("ann")
    for _ in range(5):
        server.clock.now_s += 0.9 * SETTINGS.grace_s
        server.manager.seen("ann")
        server.manager.check()
    assert server.engine.cancelled == []
    server.engine.finish(run)
    server.wait_for(run, "finished")


def test_a_run_takes_no_longer_than_allowed(server: Server) -> None:
    run = server.begin("ann")
    server.clock.now_s = SETTINGS.run_limit_s + 1
    server.manager.seen("ann")
    server.manager.check()
    server.wait_for(run, "cancelled")
    assert "may take 1000 s" in server.message(run)


def test_waiting_does_not_count_as_running(server: Server) -> None:
    first, second = server.begin("ann"), server.submit("ann")
    server.clock.now_s = SETTINGS.run_limit_s - 1
    server.manager.seen("ann")
    server.engine.finish(first)
    wait_until(lambda: second in server.engine.begun)
    server.clock.now_s += 2
    server.manager.check()
    assert server.engine.cancelled == []


def test_nobody_touches_anothers_run(server: Server) -> None:
    running, waiting = server.begin("ann"), server.submit("ann")
    for run in (running, waiting, "unknown"):
        with pytest.raises(TrainingError, match="not yours"):
            server.manager.stop(run, "bob")
        with pytest.raises(TrainingError, match="not yours"):
            server.manager.delete(run, "bob")
    assert server.engine.cancelled == []
    assert server.manager.place(waiting).place == 1


def test_a_run_is_deleted_when_it_has_ended(server: Server) -> None:
    run = server.begin("ann")
    with pytest.raises(TrainingError, match="Stop it first"):
        server.manager.delete(run, "ann")
    server.engine.finish(run)
    server.wait_for(run, "finished")
    server.manager.delete(run, "ann")
    assert server.store.run(run) is None


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
    assert [server.store.run(run).status for run in (running, waiting)] == ["interrupted"] * 2
    assert server.store.curve(running).steps == [1]
    with pytest.raises(TrainingError, match="about to stop"):
        server.submit("ann")


def test_a_new_manager_marks_the_runs_of_a_dead_server(tmp_path: Path) -> None:
    dead = RunStore(tmp_path)
    run = dead.add(CONFIG, "ann", "lenet", "run")
    dead.close()
    server = Server(tmp_path)
    assert server.store.run(run).status == "interrupted"
    server.manager.close()
    server.store.close()


def test_an_open_tab_keeps_a_run_although_its_reader_only_reads(server: Server) -> None:
    server.manager.arrived("ann")
    run = server.begin("ann")
    server.clock.now_s += 5 * SETTINGS.grace_s
    server.manager.arrived("ann")  # a reload: the new tab may open before the old one closes
    server.manager.left("ann")
    server.clock.now_s += SETTINGS.grace_s + 1
    server.manager.check()
    assert server.engine.cancelled == []

    server.manager.left("ann")
    server.clock.now_s += SETTINGS.grace_s - 1
    server.manager.check()
    assert server.engine.cancelled == []
    server.clock.now_s += 2
    server.manager.check()
    server.wait_for(run, "cancelled")
    assert "nobody had watched" in server.message(run)


@pytest.mark.parametrize("act", ["stop", "delete", "rename", "pin", "share"])
def test_only_ones_own_runs_can_be_changed(server: Server, act: str) -> None:
    run = server.begin("ann")
    server.engine.finish(run)
    server.wait_for(run, "finished")
    more = {"rename": ("x",), "pin": (True,)}.get(act, ())
    for target, visitor in ((run, "bob"), ("unknown", "ann")):
        with pytest.raises(TrainingError, match="not yours"):
            getattr(server.manager, act)(target, visitor, *more)
    getattr(server.manager, act)(run, "ann", *more)


def test_without_a_name_a_run_is_called_after_its_network(server: Server) -> None:
    run = server.manager.submit(CONFIG, "ann", "lenet")
    assert server.store.run(run).name == "LeNet"


def test_an_estimate_comes_from_a_slot_that_would_do_the_run(tmp_path: Path) -> None:
    server = Server(tmp_path, slots=2)
    try:
        assert server.manager.estimate(CONFIG) is None
        server.engine.known[1] = Estimate(precision="float32", step_s=2, test_image_s=0)
        assert server.manager.estimate(CONFIG) == server.engine.known[1]
        server.engine.only_slot = 0
        assert server.manager.estimate(CONFIG) is None
    finally:
        server.manager.close()
        server.store.close()
