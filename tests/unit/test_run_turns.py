"""Whose run is next, where, and how long the others wait."""

from functools import partial
from pathlib import Path

import pytest

from cnnlab.errors import TrainingError
from cnnlab.jobs.manager import Place
from cnnlab.training import RunConfig
from cnnlab.training.estimate import Estimate
from tests.present import present
from tests.unit.run_server import CONFIG, SETTINGS, Server, progress
from tests.waiting import wait_until


def test_visitors_take_turns(server: Server) -> None:
    """Whoever comes during somebody's run goes before that somebody's next one."""
    first = server.begin("pile")
    pile = [server.submit("pile") for _ in range(2)]
    late = server.submit("late")
    order = [first, late, *pile]
    for i, run in enumerate(order):
        wait_until(partial(server.has_begun, run))
        assert server.engine.begun == order[: i + 1]
        server.engine.finish(run)
    server.wait_for(pile[1], "finished")


def test_a_run_waits_for_a_slot_that_takes_it(tmp_path: Path) -> None:
    server = Server(tmp_path, slots=2)
    server.engine.only_slot = 1
    first, second = server.begin("ann"), server.submit("bob")
    assert present(server.manager.place(second)).place == 1
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


def test_a_run_that_would_fill_the_memory_is_refused_and_told_what_fits(server: Server) -> None:
    large = RunConfig(network="resnet", options="resnet18", image_size=224, batch_size=256)
    server.engine.memory_bytes = 2 * 2**30
    with pytest.raises(TrainingError, match=r"takes about \d+\.\d GB of memory, and 2\.0 GB"):
        server.manager.submit(large, "ann", "resnet")
    with pytest.raises(TrainingError, match="With a batch of 32 it fits"):
        server.manager.submit_group([large.replace(batch_size=32), large], "ann", "resnet")
    assert "With a batch of 32 it fits" in present(server.manager.estimate(large)).problem
    assert server.store.runs("ann") == []
    server.manager.submit(large.replace(batch_size=32), "ann", "resnet")
    server.engine.memory_bytes = 2**27
    with pytest.raises(TrainingError, match="narrower network"):
        server.manager.submit(large, "ann", "resnet")


def test_only_so_many_wait_in_all(server: Server) -> None:
    server.begin("ann")
    for number in range(SETTINGS.queue_length):
        server.submit(f"visitor {number}")
    with pytest.raises(TrainingError, match="10 runs wait already"):
        server.submit("one more")
    assert server.store.runs("one more") == []


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
