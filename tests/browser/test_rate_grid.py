"""The grid of learning rates in 9.5: started, filled in, a cell opened, there after a reload."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cnnlab.experiments.rate_grid import CELLS, RATES
from tests.browser.conftest import Server, start_server, stop_server

SLOW_MS = 90_000
DONE = re.compile(f"{len(CELLS)} of {len(CELLS)} runs came to their end")


@pytest.fixture(scope="module")
def quick_server(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Iterator[Server]:
    """The app with runs that are over at once."""
    home = tmp_path_factory.mktemp("grid-home")
    running = start_server(home, data_folder, program="tests.browser.short_experiments")
    yield running
    stop_server(running)


@pytest.mark.timeout(300)
def test_the_grid_fills_in_and_a_cell_opens_its_curve(page: Page, quick_server: Server) -> None:
    page.goto(f"{quick_server.url}/batch_norm?view=Read")
    grid = page.locator(".st-key-rate_grid").last
    start = grid.get_by_role("button", name="Start", exact=True)
    expect(start).to_be_enabled(timeout=SLOW_MS)
    rates = [f"{rate:g}" for rate in RATES]
    expect(grid.get_by_role("button", name=re.compile(rf"{rates[0]}$"))).to_have_count(2)
    start.click()
    expect(grid.get_by_text(DONE)).to_be_visible(timeout=SLOW_MS)
    # A click on a cell of the lower row opens its curve, with that of the cell above it.
    low = grid.get_by_role("button", name=re.compile(rf"{rates[-1]}$")).last
    expect(low).to_be_enabled()
    low.click()
    opened = grid.get_by_text(f"Without batch norm at {rates[-1]}: ")
    expect(opened).to_be_visible(timeout=SLOW_MS)
    expect(grid.locator(".js-plotly-plot")).to_be_visible()
    page.reload()
    expect(page.locator(".st-key-rate_grid").last.get_by_text(DONE)).to_be_visible(timeout=SLOW_MS)
