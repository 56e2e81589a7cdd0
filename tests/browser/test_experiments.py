"""An experiment from prediction to verdict, in a real browser and with real runs."""

import re

import pytest
from playwright.sync_api import Page, expect

from cnnlab.experiments import EXPERIMENTS
from tests.browser.conftest import Server

SLOW_MS = 120_000
RELU = EXPERIMENTS["relu-sigmoid"]


@pytest.mark.timeout(600)
def test_predict_run_reload_verdict_and_open_the_settings(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/alexnet?view=Experiments&experiment={RELU.id}")
    predict = page.get_by_role("button", name=RELU.rule.answers["first"])
    expect(predict).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("Why.")).to_have_count(0)
    predict.click()
    # By keyboard from here: the focus goes where the reader is expected to go on.
    run = page.get_by_role("button", name="Run", exact=True)
    expect(run).to_be_focused(timeout=SLOW_MS)
    run.press("Enter")
    expect(page.get_by_text(re.compile(r"\d of 6 runs done"))).to_be_visible(timeout=SLOW_MS)
    page.reload()
    expect(page.get_by_text(re.compile(r"\d of 6 runs done"))).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("You predict. ReLU learns sooner.")).to_be_visible()
    # The arms grow together: both have a curve before either has all seeds.
    expect(page.locator(".js-plotly-plot .legendtext")).to_have_count(2, timeout=SLOW_MS)

    expect(page.get_by_text("With 3 seeds: as claimed.").first).to_be_visible(timeout=3 * SLOW_MS)
    expect(page.get_by_text("3 of 3 seeds", exact=False).first).to_be_visible()
    expect(page.get_by_text("Your prediction was right.")).to_be_visible()
    expect(page.get_by_text("You were right")).to_be_visible()
    page.get_by_role("button", name="Open “sigmoid”").click()
    expect(page).to_have_url(re.compile(r"view=Train"), timeout=SLOW_MS)
    expect(page).to_have_url(re.compile(r"activation=sigmoid"))
    expect(page.get_by_role("button", name="Start")).to_be_enabled(timeout=SLOW_MS)


def test_a_stopped_experiment_keeps_what_there_is(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/vgg?view=Experiments")
    page.get_by_role("button", name="No clear direction").click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text(re.compile(r"going on"))).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text(re.compile("Stopped · 0 of 9 runs"))).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("Stopped before a verdict")).to_be_visible()
    page.get_by_role("button", name="Start over").click()
    expect(page.get_by_role("button", name="No clear direction")).to_be_visible(timeout=SLOW_MS)
