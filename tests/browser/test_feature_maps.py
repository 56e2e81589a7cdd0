"""The Feature maps view in a real browser: pointing, clicking, and the keyboard alone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import IDLE, PHONE, Server
from tests.conftest import ROOT

SLOW_MS = 120_000
UNFOLDING_MS = 1000
VIEW = "batch_norm?view=Feature%20maps&weights=Trained%20on%20Fashion-MNIST:%20small&channel=0"
PHOTO = ROOT / "assets" / "samples" / "cat.jpg"
FITS = "document.documentElement.scrollWidth <= window.innerWidth"


@pytest.fixture
def maps(page: Page, server: Server) -> Page:
    """The view with trained weights, drawn."""
    page.goto(f"{server.url}/{VIEW}")
    expect(mosaic(page)).to_be_visible(timeout=SLOW_MS)
    idle(page)
    return page


def idle(page: Page) -> None:
    expect(page.locator(IDLE)).to_be_visible(timeout=SLOW_MS)


def mosaic(page: Page) -> Locator:
    return page.locator(".st-key-mosaic .board")


def channel(page: Page) -> Locator:
    return page.locator(".st-key-channel_view .board")


def scores(page: Page) -> Locator:
    return page.get_by_role("img", name=re.compile("^Class scores: "))


def test_two_clicks_from_the_front_page_a_trained_network_says_what_it_sees(
    page: Page, server: Server
) -> None:
    page.goto(server.url)
    page.get_by_role("link", name="See what a trained network sees").click()
    expect(page.get_by_text(re.compile("^It says "))).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text(re.compile("Trained on .*test pictures right"))).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_tile_opens_its_channel_and_a_value_is_taken(maps: Page) -> None:
    board = mosaic(maps).locator("canvas")
    box = board.bounding_box()
    assert box
    # The third of six, in rows of three.
    board.hover(position={"x": box["width"] * 5 / 6, "y": box["height"] / 4})
    readout = maps.locator(".st-key-mosaic .readout")
    expect(readout).to_contain_text(re.compile(r"Channel 2: .*Row \d+, column \d+: "))
    board.click(position={"x": box["width"] * 5 / 6, "y": box["height"] / 4})
    expect(maps.get_by_text(re.compile("^Channel 2 of conv1"))).to_be_visible(timeout=SLOW_MS)
    expect(maps).to_have_url(re.compile(r"\bchannel=2\b"))
    idle(maps)
    channel(maps).locator("canvas").click(position={"x": 3, "y": 3})
    expect(maps.locator(".st-key-channel_view .chosen")).to_be_visible(timeout=SLOW_MS)
    idle(maps)
    # Its arithmetic, and what it sees of the picture: the corner of it.
    expect(maps.get_by_text(re.compile("channel 2, row 0, column 0"))).to_be_visible()
    expect(maps.get_by_text(re.compile("This value sees 3 × 3 pixels"))).to_be_visible()
    expect(maps.locator(".st-key-one_value")).to_be_visible()
    maps.get_by_role("option", name=re.compile("^conv2:")).click()
    expect(maps.locator(".st-key-channel_view .chosen")).to_be_hidden(timeout=SLOW_MS)


def test_the_strip_shows_every_layer_and_opens_one(maps: Page) -> None:
    strip = maps.get_by_role("listbox", name=re.compile("layers in running order"))
    names = [one.inner_text().split("\n")[0] for one in strip.get_by_role("option").all()]
    assert names[:3] == ["conv1", "act1", "pool1"]
    assert names[-1] == "fc3"
    strip.get_by_role("option", name=re.compile("^fc1:")).click()
    expect(mosaic(maps)).to_have_attribute(
        "aria-label", re.compile("All 120 channels of fc1"), timeout=SLOW_MS
    )
    expect(strip.get_by_role("option", selected=True)).to_have_text(re.compile("fc1"))


def test_by_keyboard_alone(maps: Page) -> None:
    strip = maps.get_by_role("listbox", name=re.compile("layers in running order"))
    strip.get_by_role("option", selected=True).focus()
    maps.keyboard.press("ArrowRight")
    expect(strip.get_by_role("option", name=re.compile("^act1:"))).to_be_focused()
    maps.keyboard.press("Enter")
    expect(mosaic(maps)).to_have_attribute(
        "aria-label", re.compile("channels of act1"), timeout=SLOW_MS
    )
    idle(maps)
    mosaic(maps).focus()
    maps.keyboard.press("ArrowRight")
    maps.keyboard.press("ArrowDown")
    maps.keyboard.press("Enter")
    expect(maps.get_by_text(re.compile("^Channel 4 of act1"))).to_be_visible(timeout=SLOW_MS)
    idle(maps)
    channel(maps).focus()
    maps.keyboard.press("ArrowUp")
    expect(maps.locator(".st-key-channel_view .readout")).to_contain_text(
        "Row 15, column 16: ", timeout=SLOW_MS
    )
    maps.keyboard.press("Enter")
    expect(maps.locator(".st-key-channel_view .chosen")).to_be_visible(timeout=SLOW_MS)


def test_an_edit_changes_the_scores_and_undo_brings_them_back(maps: Page) -> None:
    before = scores(maps).get_attribute("aria-label")
    maps.get_by_text("Edit the picture").click()
    # While the panel unfolds, what is in it moves away from under the pointer.
    maps.wait_for_timeout(UNFOLDING_MS)
    maps.get_by_text("Invert", exact=True).click()
    expect(scores(maps)).not_to_have_attribute("aria-label", before or "", timeout=SLOW_MS)
    expect(maps).to_have_url(re.compile("edit_invert=true"))
    idle(maps)
    maps.get_by_role("button", name="Undo all edits").click()
    expect(scores(maps)).to_have_attribute("aria-label", before or "", timeout=SLOW_MS)


def test_an_upload_is_seen_and_judged(maps: Page, tmp_path: Path) -> None:
    before = scores(maps).get_attribute("aria-label")
    maps.get_by_text("Upload", exact=True).click()
    maps.locator("input[type=file]").set_input_files(str(PHOTO))
    expect(maps.get_by_alt_text(re.compile("of your picture"))).to_be_visible(timeout=SLOW_MS)
    expect(scores(maps)).not_to_have_attribute("aria-label", before or "", timeout=SLOW_MS)
    wrong = tmp_path / "notes.txt"
    wrong.write_text("no picture")
    maps.locator("input[type=file]").set_input_files(str(wrong))
    expect(maps.get_by_text(re.compile("PNG, JPEG")).first).to_be_visible(timeout=SLOW_MS)


def test_a_phone_shows_picture_scores_and_maps(maps: Page) -> None:
    maps.set_viewport_size(PHONE)
    maps.emulate_media(color_scheme="dark")
    for part in (scores(maps), mosaic(maps), channel(maps)):
        part.scroll_into_view_if_needed()
        expect(part).to_be_visible()
    assert maps.evaluate(FITS)


def test_what_mattered_is_drawn_beside_the_same_under_random_weights(maps: Page) -> None:
    maps.get_by_text("What mattered").click()
    grad_cam = maps.get_by_alt_text(re.compile("^Grad-CAM for .*: strongest"))
    expect(grad_cam).to_be_visible(timeout=SLOW_MS)
    idle(maps)
    maps.get_by_text("Beside it: the same under random weights").click()
    expect(maps.get_by_alt_text(re.compile("^The same under random weights: "))).to_be_visible(
        timeout=SLOW_MS
    )
    idle(maps)
    maps.get_by_text("Occlusion", exact=True).click()
    expect(maps.get_by_alt_text(re.compile("^Occlusion for .*: strongest"))).to_be_visible(
        timeout=SLOW_MS
    )
    expect(grad_cam).to_have_count(0)
    expect(maps.get_by_test_id("stException")).to_have_count(0)
