"""Every card from its page: prediction, run, verdict, reload, and its settings opened."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cnnlab.catalog import SECTIONS
from cnnlab.experiments import Experiment, of_section
from tests.browser.conftest import IDLE, Server, start_server, stop_server

SLOW_MS = 60_000


@pytest.fixture(scope="module")
def quick_server(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Iterator[Server]:
    """The app with experiments that are over at once."""
    home = tmp_path_factory.mktemp("quick-home")
    running = start_server(home, data_folder, program="tests.browser.short_experiments")
    yield running
    stop_server(running)


def choose(page: Page, experiment: Experiment) -> None:
    """Open a card of the page, as a click on its question does."""
    page.get_by_text(experiment.question, exact=True).first.click()
    heading = page.get_by_role("heading", name=experiment.question)
    expect(heading).to_be_visible(timeout=SLOW_MS)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("slug", SECTIONS)
def test_every_card_of_a_page(page: Page, quick_server: Server, slug: str) -> None:
    page.goto(f"{quick_server.url}/{slug}?view=Experiments")
    for experiment in of_section(slug):
        run(page, experiment)
    page.reload()
    for experiment in of_section(slug):
        choose(page, experiment)
        expect(page.locator(".st-key-verdict")).to_be_visible(timeout=SLOW_MS)
        opens_its_settings(page, experiment)


def run(page: Page, experiment: Experiment) -> None:
    """Predict and run, up to the verdict."""
    choose(page, experiment)
    expect(page.get_by_text("Why.", exact=True)).to_have_count(0, timeout=SLOW_MS)
    answer = next(iter(experiment.rule.answers.values()))
    page.get_by_role("button", name=answer, exact=True).click()
    page.get_by_role("button", name="Run", exact=True).click()
    runs = len(experiment.arms)
    done = f"{runs} of {runs} runs came to their end"
    expect(page.get_by_text(re.compile(done))).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".st-key-verdict")).to_contain_text("With one seed: ", timeout=SLOW_MS)
    if experiment.metric.curves:
        names = len(experiment.ladder.families) if experiment.ladder else runs
        curves = page.locator(".st-key-experiment_chart .legendtext")
        expect(curves).to_have_count(names, timeout=SLOW_MS)
    if not experiment.metric.is_seen:
        # A run is a dot, whatever came out of it.
        dots = page.locator(".st-key-experiment_figure .scatterlayer .point")
        expect(dots).to_have_count(runs, timeout=SLOW_MS)


def opens_its_settings(page: Page, experiment: Experiment) -> None:
    """The last arm's settings, under Train and in the address; then back."""
    arm = experiment.arms[-1]
    page.get_by_role("button", name=f"Open “{arm.name}”", exact=True).click()
    expect(page).to_have_url(re.compile("view=Train"), timeout=SLOW_MS)
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled(timeout=SLOW_MS)
    page.get_by_role("tab", name="Experiments").click()
    page.locator(IDLE).wait_for()
