"""A question answered by keyboard alone, in a real browser."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Server

SLOW_MS = 60_000


def test_answer_by_keyboard_then_ask_with_other_knobs(page: Page, server: Server) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{server.url}/alexnet?view=Check+yourself")
    answer = page.get_by_label("Your answer").first
    expect(answer).to_be_visible(timeout=SLOW_MS)
    answer.fill("53")
    answer.press("Enter")
    expect(page.get_by_text("rounded down to 53, plus 1 is 54")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_role("alert")).to_contain_text("Not so.")
    # The field is gone: the focus goes to what stands in its place, and back.
    other = page.get_by_role("button", name="Ask with other knobs")
    expect(other).to_be_focused(timeout=SLOW_MS)
    other.press("Enter")
    expect(page.get_by_text("Asked with other knobs")).to_be_visible(timeout=SLOW_MS)
    expect(answer).to_be_focused(timeout=SLOW_MS)
    expect(answer).to_have_value("")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
