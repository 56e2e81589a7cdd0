"""A click on a cell of the confusion matrix in a real browser."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from cnnlab.datasets import DATASETS
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig
from cnnlab.training.events import Predicted
from tests.browser.conftest import Server, visitor_of
from tests.browser.test_accessibility import serious
from tests.browser.test_course import SLOW_MS, open_view

NAMES = DATASETS["shapes"].class_names
TEST_SIZE = DATASETS["shapes"].test_size


def tried(server: Server, visitor: str) -> None:
    """A finished run that took every picture for the first class."""
    store = RunStore(server.home)
    config = RunConfig(network="lenet", epochs=2, train_size=1000)
    run = store.add(config, visitor, "batch_norm", "All circles")
    said = {"classes": bytes(2 * TEST_SIZE), "confidence": b"\xff" * TEST_SIZE}
    store.append(run, [Predicted(step=7, epoch=2, elapsed_s=3, **said)])
    store.ended(run, "finished")
    store.close()


@pytest.mark.timeout(300)
def test_a_click_on_a_cell_shows_its_pictures(page: Page, server: Server) -> None:
    page.set_default_timeout(SLOW_MS)
    open_view(page, server, "batch_norm", "Train")
    tried(server, visitor_of(page.context))
    open_view(page, server, "batch_norm", "Train")
    page.get_by_text("What it got right and wrong").click()
    everywhere = page.get_by_text("such pictures")
    expect(everywhere).to_contain_text(f"{TEST_SIZE - TEST_SIZE // 10:,}", timeout=SLOW_MS)
    cells = page.locator('[class*="answers-matrix"] .nsewdrag')
    cells.scroll_into_view_if_needed()
    box = cells.bounding_box()
    assert box is not None
    # The third class in the first column.
    share = np.array([0.5, 2.5]) / len(NAMES)
    spot = box["x"] + share[0] * box["width"], box["y"] + share[1] * box["height"]
    page.mouse.move(*spot)
    page.mouse.click(*spot)
    pictures = page.get_by_alt_text(f"{NAMES[2]} → {NAMES[0]}, 100%")
    expect(pictures).to_have_count(24, timeout=SLOW_MS)
    expect(page.get_by_role("combobox", name="The picture shows")).to_have_value(NAMES[2])
    assert serious(page) == []
    expect(page.get_by_test_id("stException")).to_have_count(0)
