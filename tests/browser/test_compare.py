"""A tiny race in a real browser: started, seen through a reload, and told."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.test_course import SLOW_MS


@pytest.mark.timeout(900)
def test_a_race_is_started_goes_on_through_a_reload_and_is_told(page: Page, server: Server) -> None:
    page.set_default_timeout(SLOW_MS)
    page.goto(f"{server.url}/compare")
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare", timeout=SLOW_MS)
    # The chart with the names for this width.
    expect(page.locator(".annotation-text").filter(visible=True).first).to_be_visible(
        timeout=SLOW_MS
    )
    page.get_by_text("Equal steps").click()
    slider = page.get_by_role("slider", name="How much each gets, in steps")
    slider.press("Home")
    start = page.get_by_role("button", name="Start the race")
    expect(slider).to_have_attribute("aria-valuetext", "25", timeout=SLOW_MS)
    start.click()
    expect(page.get_by_role("button", name="Stop")).to_be_enabled(timeout=SLOW_MS)
    progress = page.get_by_test_id("stProgress").last
    expect(progress).to_contain_text("Race of 3, 25 steps each on Shapes", timeout=SLOW_MS)
    page.reload()
    verdict = page.locator(".st-key-race_verdict")
    expect(verdict).to_contain_text("came first", timeout=SLOW_MS)
    expect(verdict).to_contain_text("One seed each")
    expect(start).to_be_enabled(timeout=SLOW_MS)
    expect(page.get_by_test_id("stException")).to_have_count(0)
