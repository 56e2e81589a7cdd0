"""What stands within the first screen, and what is not cut off."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import LAPTOP, PHONE, Server

SLOW_MS = 120_000


def opened(tab: Page, server: Server, address: str) -> Page:
    tab.goto(f"{server.url}/{address}")
    expect(tab.get_by_role("heading", level=1)).to_be_visible(timeout=SLOW_MS)
    return tab


@pytest.fixture
def laptop(page: Page) -> Page:
    page.set_viewport_size(LAPTOP)
    return page


@pytest.fixture
def phone(page: Page) -> Page:
    page.set_viewport_size(PHONE)
    return page


def preset_of(tab: Page) -> Locator:
    return tab.get_by_role("combobox", name="Preset")


def top_px(locator: Locator) -> float:
    expect(locator).to_be_visible(timeout=SLOW_MS)
    box = locator.bounding_box()
    assert box
    return box["y"]


def bottom_px(locator: Locator) -> float:
    box = locator.bounding_box()
    assert box
    return box["y"] + box["height"]


def test_results_stand_within_the_first_screen_of_a_laptop(laptop: Page, server: Server) -> None:
    opened(laptop, server, "batch_norm?view=Train")
    assert top_px(laptop.get_by_role("tab", name="Train")) < 150
    assert top_px(laptop.get_by_role("button", name="Start")) < 250
    assert top_px(laptop.locator(".js-plotly-plot").first) < 400
    assert top_px(preset_of(laptop)) < 250


def test_a_phone_shows_start_first_and_the_knobs_on_request(phone: Page, server: Server) -> None:
    opened(phone, server, "batch_norm?view=Train")
    start, preset = phone.get_by_role("button", name="Start"), preset_of(phone)
    assert top_px(start) < 844
    assert bottom_px(start) < 844
    expect(preset).to_be_hidden()
    phone.get_by_text("Show the knobs").click()
    expect(preset).to_be_visible()
    assert top_px(preset) < top_px(start)
    # The choice holds in the other views too, and can be taken back.
    phone.get_by_role("tab", name="Architecture").click()
    architecture = phone.get_by_role("tabpanel", name="Architecture")
    expect(architecture.get_by_text("Input size")).to_be_visible(timeout=SLOW_MS)
    architecture.get_by_text("Show the knobs").click()
    expect(architecture.get_by_text("Input size")).to_be_hidden()


def test_the_table_of_all_networks_stands_within_the_first_screen(
    laptop: Page, server: Server
) -> None:
    opened(laptop, server, "compare")
    table = laptop.get_by_test_id("stDataFrame").first
    assert top_px(table) < 260
    assert bottom_px(table) < 720


def test_a_phone_scrolls_tables_and_not_the_page(phone: Page, server: Server) -> None:
    opened(phone, server, "compare")
    expect(phone.get_by_test_id("stDataFrame").last).to_be_visible(timeout=SLOW_MS)
    main = phone.get_by_test_id("stMain")
    assert main.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_a_wide_screen_never_folds_the_knobs(laptop: Page, server: Server) -> None:
    opened(laptop, server, "vgg?view=Architecture")
    expect(preset_of(laptop)).to_be_visible(timeout=SLOW_MS)
    expect(laptop.get_by_text("Show the knobs")).to_be_hidden()


def test_no_choice_of_the_knobs_is_cut_off(laptop: Page, server: Server) -> None:
    opened(laptop, server, "batch_norm?view=Architecture&preset=d2l_bn")
    preset = preset_of(laptop)
    expect(preset).to_have_value("The book's, with batch norm", timeout=SLOW_MS)
    # The page's font and its width arrive a moment after the first words.
    laptop.wait_for_function(
        "box => box.scrollWidth <= box.clientWidth", arg=preset.element_handle()
    )
    laptop.get_by_role("tab", name="Feature maps").click()
    ways = [laptop.get_by_role("radio", name=way) for way in ("Sample", "Upload", "Photo")]
    assert len({top_px(way) for way in ways}) == 1


def test_the_sidebar_says_what_there_is_in_few_lines(laptop: Page, server: Server) -> None:
    opened(laptop, server, "")
    sidebar = laptop.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text("Fashion-MNIST, CIFAR-10: not downloaded")).to_be_visible()
    assert bottom_px(sidebar.get_by_text("CIFAR-10")) < 720
