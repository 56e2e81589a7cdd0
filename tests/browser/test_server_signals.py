"""A server that is ended, killed or stopped while a tab is open and a run goes on."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from cnnlab.runs.store import SERVER_STOPPED, RunStore
from tests.browser.conftest import Server, start_server, visitor_of
from tests.present import present
from tests.waiting import wait_until

SLOW_S = 120
# What a stop of the server may take.
END_S = 10.0


@dataclass
class Busy:
    """A server in the middle of a run, with the tab from which it was started."""

    server: Server
    tab: Page
    store: RunStore
    run: str
    workers: list[psutil.Process]

    def status(self) -> str:
        return present(self.store.run(self.run)).status

    def message(self) -> str:
        return present(self.store.run(self.run)).message


def workers_of(server: Server) -> list[psutil.Process]:
    children = psutil.Process(server.process.pid).children(recursive=True)
    return [one for one in children if "cnnlab.jobs.local.worker" in " ".join(one.cmdline())]


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def busy(tmp_path: Path, data_folder: Path, browser: Browser) -> Iterator[Busy]:
    server = start_server(tmp_path, data_folder, CNNLAB_GRACE_S="600")
    store = RunStore(tmp_path)
    context = browser.new_context(reduced_motion="reduce")
    tab = context.new_page()
    tab.set_default_timeout(SLOW_S * 1000)
    tab.goto(f"{server.url}/batch_norm?view=Train&epochs=30&train_size=12000")
    tab.get_by_role("button", name="Start").click()
    wait_until(lambda: store.runs(visitor_of(context)), SLOW_S)
    (record,) = store.runs(visitor_of(context))
    wait_until(lambda: len(store.curve(record.id).steps) > 2, SLOW_S)
    yield Busy(server, tab, store, record.id, workers_of(server))
    context.close()
    store.close()
    if server.process.poll() is None:
        server.process.kill()
        server.process.wait()


def test_a_server_that_is_asked_to_end_does_so_with_its_runs_and_workers(
    busy: Busy, data_folder: Path
) -> None:
    assert busy.workers
    points = len(busy.store.curve(busy.run).steps)
    asked_s = time.monotonic()
    busy.server.process.terminate()
    busy.server.process.wait(60)
    assert time.monotonic() - asked_s < END_S
    wait_until(lambda: all(map(is_gone, busy.workers)), 2)
    assert busy.status() == "interrupted"
    assert SERVER_STOPPED in busy.message()
    assert len(busy.store.curve(busy.run).steps) >= points

    # The tab finds the next server by itself, and there the run with what it had learned.
    again = start_server(
        busy.server.home, data_folder, port=int(busy.server.url.rpartition(":")[2])
    )
    try:
        expect(busy.tab.get_by_role("button", name="Start")).to_be_enabled()
        busy.tab.goto(f"{again.url}/runs")
        expect(busy.tab.get_by_text(SERVER_STOPPED)).to_be_visible()
    finally:
        again.process.kill()
        again.process.wait()


def test_a_server_that_is_stopped_for_a_while_goes_on_and_one_that_is_killed_leaves_nothing(
    busy: Busy,
) -> None:
    """Stopped as on a laptop whose lid is closed: its pipes fill up, and nothing is lost."""
    os.kill(busy.server.process.pid, signal.SIGSTOP)
    time.sleep(3)
    # Nobody else takes it for dead: it still holds its lock.
    assert busy.store.mark_orphans() == 0
    before = len(busy.store.curve(busy.run).steps)
    os.kill(busy.server.process.pid, signal.SIGCONT)
    wait_until(lambda: len(busy.store.curve(busy.run).steps) > before, SLOW_S)
    assert busy.status() == "running"
    steps = busy.store.curve(busy.run).steps
    assert steps == sorted(set(steps))

    os.kill(busy.server.process.pid, signal.SIGKILL)
    busy.server.process.wait()
    wait_until(lambda: all(map(is_gone, busy.workers)), 5)
    assert busy.status() == "running"
    # What any server of the same folder does when it starts, and every ten seconds.
    assert busy.store.mark_orphans() == 1
    assert busy.status() == "interrupted"
    assert busy.store.curve(busy.run).steps[: len(steps)] == steps
