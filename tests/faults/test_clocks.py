"""A clock that is set while runs go on: limits, deadlines and estimates do not notice."""

import ast
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnlab.jobs.estimate_cache import EstimateCache
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig, train
from cnnlab.training.estimate import Estimate
from cnnlab.training.events import Finished, Progress
from tests.conftest import ROOT
from tests.present import present
from tests.unit.run_server import CONFIG, STARTED, FakeEngine, progress
from tests.waiting import wait_until

DAY_S = 86_400.0
# Moments that readers see, as dates. Whatever lasts is measured by a clock that nobody sets.
MOMENTS = {
    Path("cnnlab/runs/answers.py"),
    Path("cnnlab/runs/predictions.py"),
    Path("cnnlab/runs/records.py"),
    Path("cnnlab/runs/store.py"),
    # When an earlier process measured: a clock that was set costs one more measurement.
    Path("cnnlab/training/precision.py"),
    Path("cnnlab/training/timing_cache.py"),
}


def wall_clocks(tree: ast.AST) -> list[str]:
    """Where a module asks for the time of day as a number."""
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("time.time", "time.time_ns")
    ]


def test_only_moments_are_read_from_the_clock_on_the_wall() -> None:
    found = {
        path.relative_to(ROOT)
        for folder in ("cnnlab", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if wall_clocks(ast.parse(path.read_text(encoding="utf-8")))
    }
    # The name of a file that was moved aside has a number from it as well.
    assert found - {Path("cnnlab/runs/database.py")} == MOMENTS


@pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S])
def test_a_run_goes_on_and_its_times_stay(
    jump_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, engine = RunStore(tmp_path), FakeEngine()
    manager = RunManager(store, engine, Settings(grace_s=60, run_limit_s=60))
    try:
        run, waiting = (manager.submit(CONFIG, "ann", "lenet", "run") for _ in range(2))
        wait_until(lambda: run in engine.begun)
        engine.put(run, STARTED)
        engine.put(run, progress(1))
        wait_until(lambda: present(store.run(run)).status == "running")
        right = time.time
        monkeypatch.setattr(time, "time", lambda: right() + jump_s)
        manager.check()
        assert engine.cancelled == []
        running_s = manager.line()[0].running_s
        assert running_s is not None
        assert 0 <= running_s < 60
        assert present(manager.place(waiting)).place == 1
        engine.finish(run)
        wait_until(lambda: waiting in engine.begun)
        newer = manager.submit(CONFIG, "ann", "lenet", "newer")
        assert [found.id for found in store.runs("ann")] == [newer, waiting, run]
    finally:
        manager.close()
        store.close()


@pytest.mark.usefixtures("few_pictures")
def test_training_measures_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    right: Callable[[], float] = time.time
    asked: list[int] = []

    def jumping() -> float:
        asked.append(1)
        return right() + (DAY_S if len(asked) % 2 else -DAY_S)

    monkeypatch.setattr(time, "time", jumping)
    config = RunConfig(network="lenet", train_size=256, batch_size=128, epochs=1, budget_s=600)
    events = list(train(config))
    seconds = [event.elapsed_s for event in events if isinstance(event, Progress | Finished)]
    assert seconds == sorted(seconds)
    assert 0 <= seconds[0] <= seconds[-1] < 300
    assert isinstance(events[-1], Finished)


def test_a_question_does_not_grow_old_by_a_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = EstimateCache()
    assert cache.ask("kind")
    monkeypatch.setattr(time, "time", lambda: 10 * DAY_S)
    assert cache.waits_s() < 60
    cache.note("kind", Estimate(step_s=1.0))
    assert not cache.ask("kind")
