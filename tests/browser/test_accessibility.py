"""Every page and view in both themes, as axe sees them: nothing serious that is ours."""

from typing import Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from cnnlab.runs.store import RunStore
from tests.app.runs_page import add
from tests.browser.conftest import IDLE, LAPTOP, Server, as_new, visitor_of

SLOW_MS = 120_000
# The views are the same for all sections: one of each, and what appears last on it.
ADDRESSES = {
    "": "[data-testid=stPlotlyChart] .annotation-text",
    # Figures of networks and charts stand in its text.
    "alexnet?view=Read": "[data-testid=stMermaidChart] img >> nth=1",
    # Benches: pictures with marks, numbers drawn in colours.
    "nin?view=Read": ".st-key-pointwise_bench [data-testid=stImage] >> nth=2",
    "batch_norm?view=Read": ".st-key-norm_by_hand [role=img] >> nth=1",
    "alexnet?view=Experiments&experiment=augmentation-gap": ".st-key-augmented img >> nth=4",
    "resnet?view=Architecture": "text=cnnlab/networks/resnet.py",
    # With an editor of blocks, and both networks' figures.
    "vgg?view=Architecture&compare=vgg.d2l": "[data-testid=stMermaidChart] img >> nth=3",
    # Components of our own, and the trained network's scores.
    "alexnet?view=Feature%20maps": ".st-key-channel_view canvas",
    "batch_norm?view=Feature%20maps&weights_beside=The%20same%20network,%20fresh": (
        ".st-key-channel_view_beside canvas"
    ),
    "batch_norm?view=Train": "[data-testid=stPlotlyChart] >> nth=1",
    "compare": "[data-testid=stPlotlyChart] .annotation-text",
    "runs": "[data-testid=stMain] a",
}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Rules that Streamlit's own elements break, and where: no page can mend them.
STREAMLITS = {
    # Between the list of the navigation and its entries stand boxes.
    "list": "[data-testid=stSidebarNavItems]",
    "listitem": "[data-testid=stSidebarNavItems]",
}
EXAMINE = """async allowed => {
    const found = await axe.run(document, {resultTypes: ['violations']});
    const ours = (rule, node) => {
        const where = allowed[rule.id];
        return !where || !document.querySelector(node.target[0])?.closest(where);
    };
    return found.violations
        .filter(rule => ['serious', 'critical'].includes(rule.impact))
        .flatMap(rule => rule.nodes.filter(node => ours(rule, node))
            .map(node => `${rule.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
}"""


@pytest.fixture(scope="module")
def tab(only_tab: Page) -> Page:
    as_new(only_tab).set_viewport_size(LAPTOP)
    return only_tab


def serious(tab: Page) -> list[str]:
    """What axe holds against the page in both themes, without what only Streamlit can change."""
    tab.evaluate(AXE_SCRIPT)
    found: list[str] = []
    for theme in THEMES:
        tab.emulate_media(color_scheme=theme)
        expect(tab.locator(".stApp")).to_have_css("color-scheme", theme)
        # Colours fade from one theme to the other.
        tab.wait_for_function("document.getAnimations().every(a => a.playState !== 'running')")
        # Figures are drawn anew in the theme's colours.
        expect(tab.locator("[aria-busy=true]")).to_have_count(0, timeout=SLOW_MS)
        found += tab.evaluate(EXAMINE, STREAMLITS)
    return found


def opened(tab: Page, server: Server, address: str) -> None:
    tab.goto(f"{server.url}/{address}")
    expect(tab.get_by_role("heading", level=1)).to_be_visible(timeout=SLOW_MS)
    expect(tab.locator(ADDRESSES[address]).filter(visible=True).first).to_be_visible(
        timeout=SLOW_MS
    )
    expect(tab.locator(IDLE)).to_be_visible(timeout=SLOW_MS)


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_serious_is_wrong(tab: Page, server: Server, address: str) -> None:
    opened(tab, server, address)
    found = serious(tab)
    assert not found, "\n".join(found)


def test_nothing_serious_is_wrong_with_a_list_of_runs_or_a_shared_run(
    tab: Page, server: Server
) -> None:
    opened(tab, server, "runs")
    me = visitor_of(tab.context)
    store = RunStore(server.home)
    shared = store.share(add(store, "one", visitor=me))
    add(store, "failed", visitor=me, ending="failed")
    store.close()
    for address in ("runs", f"runs?shared={shared}"):
        tab.goto(f"{server.url}/{address}")
        shown = tab.get_by_test_id("stDataFrame").or_(tab.get_by_test_id("stPlotlyChart"))
        expect(shown.first).to_be_visible(timeout=SLOW_MS)
        expect(tab.locator(IDLE)).to_be_visible(timeout=SLOW_MS)
        found = serious(tab)
        assert not found, "\n".join(found)


def test_axe_sees_faint_words_and_a_picture_without_its_words(tab: Page, server: Server) -> None:
    opened(tab, server, "")
    tab.evaluate(
        """() => document.querySelector('[data-testid=stMain] h3').insertAdjacentHTML('afterend',
            '<p style="color: #888; background: #999">faint</p><img src="data:,">')"""
    )
    assert {problem.split(":")[0] for problem in serious(tab)} == {"color-contrast", "image-alt"}
