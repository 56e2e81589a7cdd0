"""Steps over a map in the browser: keys, buttons and clicks, without a word to the server."""

import pytest
from playwright.sync_api import Locator, Page, WebSocket, expect

from cnnlab.explain.stride_bench import Bench, example
from tests.browser.conftest import IDLE, LAPTOP, PHONE, Server, as_new

SLOW_MS = 120_000


@pytest.fixture(scope="module")
def tab(only_tab: Page) -> Page:
    return as_new(only_tab)


def bench_of(tab: Page, server: Server) -> Locator:
    tab.goto(f"{server.url}/alexnet?view=Read")
    steps = tab.locator(".st-key-stride_bench .steps")
    expect(steps.locator("canvas").last).to_be_visible(timeout=SLOW_MS)
    expect(tab.locator(IDLE)).to_be_visible(timeout=SLOW_MS)
    return steps


def expect_at(steps: Locator, row: int, column: int) -> None:
    """The place, the numbers of its window, and the result that PyTorch gives."""
    expect(steps.locator(".at")).to_have_text(f"row {row}, column {column}")
    result = int(example(Bench(8, 3, 2)).output[row, column])
    expect(steps.locator(".formula b")).to_have_text(str(result).replace("-", "−"))


def test_keys_buttons_and_clicks_step_through_the_window(tab: Page, server: Server) -> None:
    sent: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: sent.append(str(frame)))

    tab.on("websocket", listen)
    steps = bench_of(tab, server)
    expect_at(steps, 0, 0)
    assert sent
    sent.clear()
    steps.focus()
    tab.keyboard.press("ArrowRight")
    expect_at(steps, 0, 1)
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    expect_at(steps, 2, 1)
    steps.get_by_role("button", name="One row up").click()
    expect_at(steps, 1, 1)
    output = steps.locator("canvas.output")
    box = output.bounding_box()
    assert box
    output.click(position={"x": box["width"] - 8, "y": 8})
    expect_at(steps, 0, 2)
    steps.focus()
    tab.keyboard.press("Space")
    expect(steps.get_by_role("button", name="Stop")).to_be_visible()
    expect_at(steps, 1, 0)
    tab.keyboard.press("Space")
    expect(steps.get_by_role("button", name="Play")).to_be_visible()
    assert sent == [], "the browser has all numbers"
    tab.remove_listener("websocket", listen)


def test_a_phone_shows_the_whole_picture(tab: Page, server: Server) -> None:
    tab.set_viewport_size(PHONE)
    steps = bench_of(tab, server)
    for canvas in steps.locator("canvas").all():
        box = canvas.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
    tab.set_viewport_size(LAPTOP)


def test_a_value_of_a_layer_and_the_one_before_it(tab: Page, server: Server) -> None:
    tab.goto(f"{server.url}/batch_norm?view=Feature%20maps&layer=act1")
    board = tab.locator(".st-key-channel_view canvas")
    expect(board).to_be_visible(timeout=SLOW_MS)
    expect(tab.locator(IDLE)).to_be_visible(timeout=SLOW_MS)
    board.click(position={"x": 80, "y": 90})
    panel = tab.locator(".st-key-value_taken")
    steps = panel.locator(".steps")
    expect(steps.locator("canvas").last).to_be_visible(timeout=SLOW_MS)
    here = steps.locator(".at").text_content()
    steps.focus()
    tab.keyboard.press("ArrowRight")
    expect(steps.locator(".at")).not_to_have_text(str(here))
    expect(steps.locator(".formula b")).not_to_be_empty()
    expect(panel.locator("img")).to_have_count(2, timeout=SLOW_MS)
    panel.get_by_role("button", name="Its input").click()
    expect(panel.get_by_role("button", name="Back to act1")).to_be_visible(timeout=SLOW_MS)
    expect(steps.locator(".at")).to_have_text(str(here))
