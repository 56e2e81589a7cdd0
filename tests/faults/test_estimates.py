"""The time of a run, measured before it starts: it kills no two workers and delays no start."""

import os
import signal
from collections.abc import Iterator

import pytest

from cnnlab.jobs.limits import Settings
from cnnlab.jobs.local.engine import LocalEngine
from cnnlab.jobs.manager import RunManager
from cnnlab.runs.store import RunStore
from tests.faults.test_worker_dies import LONG_STEP, SHORT, pid, submit, wait_for, wait_until_warm
from tests.present import present
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("few_pictures")


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunManager]:
    store = RunStore(tmp_path_factory.mktemp("home"))
    manager = RunManager(store, LocalEngine(), Settings())
    yield manager
    manager.close()
    store.close()


def test_a_worker_that_dies_over_an_estimate_is_not_asked_the_same_again(
    manager: RunManager, caplog: pytest.LogCaptureFixture
) -> None:
    wait_until_warm(manager)
    wait_until(lambda: manager.estimate(LONG_STEP) is None)
    guilty = pid(manager)
    os.kill(guilty, signal.SIGKILL)
    wait_until(lambda: manager.estimate(LONG_STEP) is not None)
    assert "timed a few steps" in present(manager.estimate(LONG_STEP)).problem
    assert "want of memory" in present(manager.estimate(LONG_STEP)).problem
    assert "timed a few steps" in caplog.text
    fresh = pid(manager)
    assert fresh != guilty
    # Others are, and the same process answers them all.
    config = SHORT.replace(batch_size=32)
    wait_until(lambda: manager.estimate(config) is not None, timeout_s=60)
    assert present(manager.estimate(config)).run_s(config) > 0
    assert pid(manager) == fresh


def test_thirty_knob_positions_do_not_delay_a_start(manager: RunManager) -> None:
    wait_until_warm(manager)
    for size in range(40, 70):
        manager.estimate(LONG_STEP.replace(image_size=size))
    run = submit(manager, SHORT)
    wait_until(lambda: manager.store.curve(run).steps, timeout_s=20)
    wait_for(manager, run, "finished")
