"""A run played back in a real browser: by keys, without asking the server, on a phone too."""

import pytest
from PIL import Image
from playwright.sync_api import Page, WebSocket, expect

from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig, train
from cnnlab.training.events import Finished
from cnnlab.training.followed import followed
from tests.browser.conftest import IDLE, PHONE, Server, visitor_of
from tests.browser.test_accessibility import serious
from tests.browser.test_course import SLOW_MS, open_view


def trained(server: Server, visitor: str) -> int:
    """A finished run that carried a picture; returns its steps."""
    picture = Image.linear_gradient("L").convert("RGB")
    config = followed(
        RunConfig(network="lenet", train_size=128, batch_size=16, epochs=2, evaluate="end"), picture
    )
    _, *events, last = train(config)
    assert isinstance(last, Finished)
    store = RunStore(server.home)
    run = store.add(config, visitor, "vgg", "LeNet")
    store.started(run, {"device": "cpu", "precision": "float32", "steps": last.step})
    store.append(run, events)
    store.ended(run, "finished")
    store.close()
    return last.step


def shown(page: Page, selector: str) -> str:
    """The pixels of a canvas, as text."""
    canvas = page.locator(selector).first
    return str(canvas.evaluate("canvas => canvas.toDataURL()"))


@pytest.mark.timeout(300)
def test_a_run_is_played_back_by_keys_alone(page: Page, server: Server) -> None:
    page.set_default_timeout(SLOW_MS)
    open_view(page, server, "vgg", "Train")
    steps = trained(server, visitor_of(page.context))
    sent: list[object] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: sent.append(frame))

    page.on("websocket", listen)
    page.goto(f"{server.url}/runs")
    page.get_by_text("The picture, step by step").click()
    slider = page.get_by_role("slider", name="Step of the training")
    expect(slider).to_be_visible(timeout=SLOW_MS)
    page.locator(IDLE).wait_for()
    page.remove_listener("websocket", listen)
    where = page.locator(".playback .where")
    expect(where).to_have_text(f"step {steps} of {steps}")
    trained_maps = shown(page, ".playback .layers canvas")
    page.wait_for_timeout(1000)
    before = len(sent)

    slider.focus()
    page.keyboard.press("Home")
    expect(where).to_have_text(f"step 1 of {steps}")
    assert shown(page, ".playback .layers canvas") != trained_maps
    # At the first step the kernels of both pictures are the same.
    assert shown(page, ".playback .now canvas") == shown(page, ".playback .before canvas")
    page.keyboard.press("ArrowRight")
    expect(where).to_have_text(f"step 2 of {steps}")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Stop", exact=True).last).to_be_visible()
    expect(where).to_have_text(f"step {steps} of {steps}", timeout=30_000)
    assert shown(page, ".playback .layers canvas") == trained_maps
    assert shown(page, ".playback .now canvas") != shown(page, ".playback .before canvas")
    assert len(sent) == before, "scrubbing asked the server"

    assert serious(page) == []
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(500)
    wide = page.locator(".playback").evaluate("box => box.scrollWidth - box.clientWidth")
    assert wide <= 1
    expect(page.get_by_test_id("stException")).to_have_count(0)
