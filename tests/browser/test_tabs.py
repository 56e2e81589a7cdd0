"""A fresh server opens any page; open tabs keep a run, whatever they do; without one it ends."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from cnnlab.runs.store import RunRecord, RunStore
from tests.browser.conftest import Server, start_server, stop_server, visitor_of
from tests.waiting import wait_until

GRACE_S = 1
SLOW_S = 120


@dataclass
class Lab:
    """A server with little patience, and its runs."""

    server: Server
    store: RunStore

    def run(self, context: BrowserContext) -> RunRecord | None:
        """The newest run of this browser."""
        return next(iter(self.store.runs(visitor_of(context))), None)

    def open(self, tab: Page, view: str) -> None:
        # As many epochs as there can be, and all pictures: the run has to outlast the test.
        tab.goto(f"{self.server.url}/batch_norm?view={view}&epochs=30&train_size=12000")
        expect(tab.get_by_role("tab", name=view, selected=True)).to_be_visible(
            timeout=SLOW_S * 1000
        )

    def start(self, tab: Page, context: BrowserContext) -> RunRecord:
        tab.get_by_role("button", name="Start").click()
        wait_until(lambda: (run := self.run(context)) and self.store.curve(run.id).steps, SLOW_S)
        run = self.run(context)
        assert run
        return run

    def expect_to_go_on(self, run: RunRecord) -> None:
        """Well past the grace period, by the run's own clock."""

        def elapsed_s() -> float:
            record, seconds = self.store.run(run.id), self.store.curve(run.id).seconds
            assert record
            assert record.status == "running", record.message
            assert seconds
            return seconds[-1]

        enough_s = elapsed_s() + 4 * GRACE_S
        wait_until(lambda: elapsed_s() > enough_s, SLOW_S)

    def expect_to_be_given_up(self, run: RunRecord) -> None:
        wait_until(lambda: (now := self.store.run(run.id)) and now.ended_s, SLOW_S)
        record = self.store.run(run.id)
        assert record
        assert record.status == "cancelled"
        assert "nobody had watched it" in record.message


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("tabs-home")
    server = start_server(home, data_folder, CNNLAB_GRACE_S=str(GRACE_S))
    store = RunStore(home)
    yield Lab(server, store)
    store.close()
    stop_server(server)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A new visitor."""
    context = browser.new_context(reduced_motion="reduce")
    yield context
    context.close()


def test_the_first_request_to_a_server_opens_the_right_page(
    lab: Lab, context: BrowserContext
) -> None:
    """A link from elsewhere, without a message that there is no such page."""
    tab = context.new_page()
    tab.goto(f"{lab.server.url}/densenet")
    expect(tab.get_by_role("heading", level=1)).to_have_text("9.7 DenseNet", timeout=SLOW_S * 1000)
    expect(tab.get_by_text("Concatenate instead of adding").first).to_be_visible()
    expect(tab.get_by_text("Page not found")).to_have_count(0)
    expect(tab.get_by_role("link", name="9.1 AlexNet")).to_be_visible()


def test_a_tab_that_is_only_read_keeps_its_run_until_it_is_closed(
    lab: Lab, context: BrowserContext
) -> None:
    tab = context.new_page()
    lab.open(tab, "Train")
    # Each reload closes a tab and opens one; a wrong count would show below.
    tab.reload()
    tab.reload()
    run = lab.start(tab, context)
    tab.get_by_role("tab", name="Read").click()
    expect(tab.get_by_text("Sources:").first).to_be_visible()
    lab.expect_to_go_on(run)
    tab.close()
    lab.expect_to_be_given_up(run)


def test_a_tab_whose_connection_dropped_counts_when_it_is_back(
    lab: Lab, context: BrowserContext
) -> None:
    lines: list[tuple[WebSocketRoute, WebSocketRoute]] = []
    reader = context.new_page()
    reader.route_web_socket(
        re.compile("/_stcore/stream"),
        lambda line: lines.append((line, line.connect_to_server())),
    )
    lab.open(reader, "Read")
    for end in lines[0]:
        end.close()
    other = context.new_page()
    lab.open(other, "Train")
    run = lab.start(other, context)
    assert len(lines) == 2
    other.close()
    lab.expect_to_go_on(run)
    reader.close()
    lab.expect_to_be_given_up(run)
