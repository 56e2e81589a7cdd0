"""What a new visitor does, in a real browser."""

import json
import re
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from cnnlab.catalog import SECTIONS
from tests.browser.conftest import IDLE, PHONE, Server
from tests.conftest import ROOT

PHOTO = ROOT / "assets" / "samples" / "astronaut.jpg"
SLOW_MS = 120_000
FITS = "document.documentElement.scrollWidth <= window.innerWidth"


def open_view(page: Page, server: Server, slug: str, view: str, knobs: str = "") -> None:
    page.goto(f"{server.url}/{slug}?view={view}{knobs}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        SECTIONS[slug].title, timeout=SLOW_MS
    )


def points(page: Page, chart: str, place: int = -1) -> int:
    """How many points a run's training curve has; the current run's is on top, the last one."""
    counted = page.evaluate(
        """([chart, place]) => {
            const plots = [...document.querySelectorAll('.js-plotly-plot')];
            const plot = plots.find(p => p.layout.yaxis.title?.text.startsWith(chart));
            const line = plot?.data?.filter(d => d.meta === 'training').at(place);
            if (!line) return 0;
            return line.x.length ?? Object.keys(line.x._inputArray ?? {}).length;
        }""",
        [chart, place],
    )
    return int(counted)


def expect_points(page: Page, more_than: int, place: int = -1) -> int:
    """Wait until a curve in the chart of losses is longer than that."""
    for _ in range(600):
        found = points(page, "loss", place)
        if found > more_than:
            return found
        page.wait_for_timeout(200)
    raise AssertionError(f"curve {place} never had more than {more_than} points")


def test_the_server_says_how_it_stands(server: Server) -> None:
    with urllib.request.urlopen(f"{server.url}/health", timeout=10) as answer:
        found = json.load(answer)
        assert "Set-Cookie" not in answer.headers
    assert set(found) == {"status", "problems", "running", "waiting"}
    assert found["status"] in ("ok", "degraded")


def test_every_page_by_its_link_and_its_figures(page: Page, server: Server) -> None:
    """All in one visit, as a reader goes through the course."""
    page.goto(server.url)
    for slug, section in SECTIONS.items():
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=section.heading).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(section.heading, timeout=SLOW_MS)
        assert re.search(rf"/{slug}\b", page.url)
        page.get_by_role("tab", name="Read").click()
        expect(page.get_by_text("Sources:").filter(visible=True).first).to_be_visible(
            timeout=SLOW_MS
        )
        page.get_by_role("tab", name="Architecture").click()
        shown = page.get_by_role("tabpanel", name="Architecture")
        figure = shown.get_by_test_id("stMermaidChart").locator("img").first
        expect(figure).to_be_visible(timeout=SLOW_MS)
        expect(page.get_by_test_id("stMermaidError")).to_have_count(0)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        # Nothing sticks out of the page sideways.
        assert page.evaluate(FITS), slug


def test_a_photo_and_its_feature_maps(page: Page, server: Server) -> None:
    open_view(page, server, "alexnet", "Feature%20maps")
    # The trained network, for the reader has set no knobs.
    mosaic = page.get_by_role("listbox", name="All 24 channels of block1.conv")
    expect(mosaic).to_be_visible(timeout=SLOW_MS)
    seen = page.get_by_test_id("stImage").nth(1).locator("img")
    before = seen.get_attribute("src")
    page.get_by_role("radio", name="Upload").or_(
        page.get_by_text("Upload", exact=True)
    ).first.click()
    page.locator("input[type=file]").set_input_files(str(PHOTO))
    expect(page.get_by_text("astronaut.jpg")).to_be_visible(timeout=SLOW_MS)
    expect(seen).not_to_have_attribute("src", before or "", timeout=SLOW_MS)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


@pytest.mark.timeout(900)
def test_training_with_and_without_batch_norm(page: Page, server: Server) -> None:
    # A short run that ends, then a long one that has to be stopped.
    open_view(page, server, "batch_norm", "Train", knobs="&epochs=3&train_size=1000")
    page.get_by_role("button", name="Start").click()
    first = expect_points(page, 0)
    expect_points(page, first)  # the curve grows while the run goes on
    expect(page.get_by_text(re.compile("· Finished$"))).to_be_visible(timeout=240_000)

    page.locator(".st-key-knobs label").filter(has_text="Batch norm").first.click()
    epochs = page.get_by_role("combobox", name="Epochs")
    epochs.click()
    epochs.fill("30")
    page.get_by_role("option", name="30", exact=True).click()
    expect(page).to_have_url(re.compile(r"\bepochs=30"))
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text(" left · ")).to_be_visible(timeout=SLOW_MS)
    expect_points(page, 10, 0)  # the first run, faint behind
    expect(page.get_by_role("checkbox", name="batch norm, 3 epochs")).to_be_attached()
    expect_points(page, 0)

    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text(re.compile("· Stopped$"))).to_be_visible(timeout=SLOW_MS)
    stopped = points(page, "loss")
    page.wait_for_timeout(1500)
    assert points(page, "loss") == stopped

    page.get_by_role("tab", name="Feature maps").click()
    weights = page.get_by_role("combobox", name=re.compile("Weights"))
    expect(weights).to_be_visible(timeout=SLOW_MS)
    page.locator(IDLE).wait_for()
    weights.click()
    # The last run is on top, older ones further down, where a list is drawn as it is scrolled.
    expect(page.get_by_role("option").first).to_contain_text("30 epochs")
    weights.fill("3 epochs")
    first_run = page.get_by_role("option", name=re.compile(r"batch norm.* 3 epochs"))
    expect(first_run).to_be_visible(timeout=SLOW_MS)


def test_a_reload_in_the_middle_shows_the_whole_curve(page: Page, server: Server) -> None:
    open_view(page, server, "densenet", "Train")
    start, stop = (page.get_by_role("button", name=name) for name in ("Start", "Stop"))
    # By keyboard: the button that is disabled hands the focus to the other.
    start.press("Enter")
    expect(stop).to_be_focused(timeout=SLOW_MS)
    before = expect_points(page, 5)
    page.reload()
    assert expect_points(page, before) > before
    stop.press("Enter")
    expect(page.get_by_text(re.compile("· Stopped$"))).to_be_visible(timeout=SLOW_MS)
    expect(start).to_be_focused(timeout=SLOW_MS)


def test_a_link_restores_the_knobs(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/resnet?view=Architecture&depth=34")
    expect(page.get_by_text("ResNet-34 from input to output")).to_be_visible(timeout=SLOW_MS)


def test_a_phone_shows_the_page_without_scrolling_sideways(page: Page, server: Server) -> None:
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    open_view(page, server, "googlenet", "Read")
    for view in ("Read", "Architecture", "Feature maps", "Train"):
        page.get_by_role("tab", name=view).click()
        expect(page.get_by_role("tabpanel", name=view)).not_to_be_empty(timeout=SLOW_MS)
        expect(page.locator(IDLE)).to_be_visible(timeout=SLOW_MS)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        assert page.evaluate(FITS), view
