"""Many runs as one in a real browser: twelve seeds, a reload, a killed worker, and one Stop."""

import os
import re
import signal

import psutil
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Server
from tests.browser.test_course import SLOW_MS, open_view

WORKER = "cnnlab.jobs.local.worker"


def start_twelve(page: Page, server: Server, epochs: int) -> Locator:
    """Start short runs with twelve seeds; returns the line of their progress."""
    page.set_default_timeout(SLOW_MS)
    chosen = f"&epochs={epochs}&train_size=500&seeds=12"
    open_view(page, server, "batch_norm", "Train", knobs=chosen)
    page.get_by_role("button", name="Start").click()
    # While the page draws it anew there are two for a moment.
    progress = page.get_by_test_id("stProgress").last
    expect(progress).to_contain_text("of 12 runs done", timeout=SLOW_MS)
    return progress


def some_done(progress: Locator) -> None:
    """Wait until the group is somewhere in its middle."""
    expect(progress).to_contain_text(re.compile(r"\b[1-9]\d? of 12 runs done"), timeout=SLOW_MS)


def workers(server: Server) -> list[psutil.Process]:
    """The processes in which this server trains; the first gets work before the others."""
    children = psutil.Process(server.process.pid).children()
    found = [child for child in children if WORKER in child.cmdline()]
    return sorted(found, key=psutil.Process.create_time)


@pytest.mark.timeout(900)
def test_twelve_seeds_go_through_the_page_and_a_reload(page: Page, server: Server) -> None:
    progress = start_twelve(page, server, 1)
    some_done(progress)
    page.reload()
    some_done(progress)
    expect(progress).to_contain_text("Finished · 12 of 12 runs", timeout=SLOW_MS)
    expect(page.get_by_role("button", name="Start")).to_be_enabled(timeout=SLOW_MS)
    # The mean of the finished runs stands in both charts.
    expect(page.get_by_text("test, mean of 12")).to_have_count(2, timeout=SLOW_MS)

    page.get_by_role("link", name="Runs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs", timeout=SLOW_MS)
    page.get_by_role("button", name="Show its runs").click()
    expect(page.get_by_role("button", name="Hide its runs")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.timeout(900)
def test_a_group_survives_a_killed_worker_and_is_stopped_half_way(
    page: Page, server: Server
) -> None:
    progress = start_twelve(page, server, 30)
    expect(progress).to_contain_text("going on", timeout=SLOW_MS)
    os.kill(workers(server)[0].pid, signal.SIGKILL)
    # The run says why it ended, the others go on.
    told = page.get_by_test_id("stAlert").filter(has_text="broke off")
    expect(told).to_be_visible(timeout=SLOW_MS)
    expect(progress).to_contain_text("of 12 runs done")
    expect(progress).to_contain_text("going on", timeout=SLOW_MS)
    page.get_by_role("button", name="Stop").click()
    ending = re.compile(r"Ended with failures · \d+ of 12 runs")
    expect(progress).to_contain_text(ending, timeout=SLOW_MS)
    expect(page.get_by_role("button", name="Start")).to_be_enabled(timeout=SLOW_MS)
