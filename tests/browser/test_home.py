"""The front page in a real browser."""

from itertools import combinations

from playwright.sync_api import FloatRect, Page, expect

from cnnlab.catalog import SECTIONS
from pages.components.home import FIRST
from tests.browser.conftest import DESKTOP, LAPTOP, PHONE, Server

SLOW_MS = 120_000


def overlap(a: FloatRect, b: FloatRect) -> bool:
    return (
        a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
    )


def test_every_point_of_the_chart_has_a_name_that_can_be_read(page: Page, server: Server) -> None:
    page.goto(server.url)
    for size in (DESKTOP, LAPTOP, PHONE):
        page.set_viewport_size(size)
        check_names(page)


def check_names(page: Page) -> None:
    """None covers another, and none is cut off by the edge of the chart."""
    chart = page.get_by_test_id("stPlotlyChart").filter(visible=True)
    expect(chart).to_have_count(1, timeout=SLOW_MS)
    names = chart.locator(".annotation-text")
    expect(names).not_to_have_count(0, timeout=SLOW_MS)
    points = chart.locator(".scatterlayer .point")
    assert names.count() == points.count() > 15
    boxes = [box for name in names.all() if (box := name.bounding_box())]
    texts = names.all_text_contents()
    covered = [
        (texts[i], texts[j])
        for (i, a), (j, b) in combinations(enumerate(boxes), 2)
        if overlap(a, b)
    ]
    assert covered == []
    frame = chart.bounding_box()
    assert frame
    for box in boxes:
        assert box["x"] >= frame["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]


def test_all_of_a_card_is_its_link(page: Page, server: Server) -> None:
    page.goto(server.url)
    card = page.locator(".st-key-card_nin")
    expect(card).to_contain_text(SECTIONS["nin"].aim, timeout=SLOW_MS)
    # The link comes a moment after the words: the browser loads its script first.
    expect(card.get_by_role("link")).to_be_visible(timeout=SLOW_MS)
    # Far from the title, on the words below it.
    card.click(position={"x": 60, "y": 80})
    expect(page.get_by_role("heading", level=1)).to_have_text("9.3 NiN", timeout=SLOW_MS)


def test_the_page_says_where_to_begin(page: Page, server: Server) -> None:
    page.goto(server.url)
    expect(page.get_by_role("heading", name="Where to begin")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("link", name=FIRST.question).click()
    answer = page.get_by_role("button", name=FIRST.rule.answers["first"])
    expect(answer).to_be_visible(timeout=SLOW_MS)
