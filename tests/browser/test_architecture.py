"""Numbers, names and figures of the Architecture view can be read in a real browser."""

import itertools

import pytest
from playwright.sync_api import Page, ViewportSize, WebSocket, expect

from cnnlab.catalog import NETWORKS
from cnnlab.summary import layers
from cnnlab.trace import trace_of
from pages.components import layer_table
from tests.browser.conftest import DESKTOP, IDLE, LAPTOP, PHONE, Server, as_new

SLOW_MS = 120_000


@pytest.fixture(scope="module")
def tab(only_tab: Page) -> Page:
    return as_new(only_tab)


SIZES = pytest.mark.parametrize(
    "size", [DESKTOP, LAPTOP, PHONE], ids=["desktop", "laptop", "phone"]
)


def opened(tab: Page, server: Server, slug: str, size: ViewportSize) -> None:
    """Loaded once for all sizes: no test changes a knob."""
    tab.set_viewport_size(size)
    address = f"{server.url}/{slug}?view=Architecture"
    if not tab.url.startswith(address):
        tab.goto(address)
    expect(tab.get_by_test_id("stDataFrame")).to_be_visible(timeout=SLOW_MS)
    expect(tab.get_by_test_id("stMermaidChart").locator("img").first).to_be_visible(timeout=SLOW_MS)


def text_widths_px(tab: Page, texts: list[str]) -> list[float]:
    """How wide the browser paints texts in the font of the table."""
    found = tab.evaluate(
        """texts => {
            const pen = document.createElement('canvas').getContext('2d');
            pen.font = '14px ' + getComputedStyle(document.querySelector('.stApp')).fontFamily;
            return texts.map(text => pen.measureText(text).width);
        }""",
        texts,
    )
    return [float(width) for width in found]


@SIZES
def test_columns_are_as_wide_as_their_longest_number(
    tab: Page, server: Server, size: ViewportSize
) -> None:
    opened(tab, server, "googlenet", size)
    spec = NETWORKS["googlenet"]
    rows = layer_table.frame(layers(trace_of(spec, spec.presets["d2l"], spec.book.image_size)))
    total_px = 0
    for name, values in rows.items():
        texts = [layer_table.text(value) for value in values]
        width_px = layer_table.column_px(str(name), texts)
        # Eight pixels are left free on both sides of a cell.
        assert max(text_widths_px(tab, [*texts, str(name)])) + 16 <= width_px, name
        total_px += width_px
    # Nothing squeezes the columns: what does not fit is scrolled to.
    painted = tab.locator(".dvn-scroller").first.evaluate("box => box.scrollWidth")
    assert painted >= total_px


@SIZES
def test_every_layer_has_its_whole_name_at_its_bars(
    tab: Page, server: Server, size: ViewportSize
) -> None:
    opened(tab, server, "googlenet", size)
    chart = tab.get_by_test_id("stPlotlyChart").first
    names = chart.locator(".ytick text")
    expect(names).not_to_have_count(0, timeout=SLOW_MS)
    spec = NETWORKS["googlenet"]
    summary = layers(trace_of(spec, spec.presets["d2l"], spec.book.image_size))
    expected = [layer.name for layer in summary.layers if layer.macs]
    # Plotly writes them from below.
    assert names.all_text_contents()[::-1] == expected
    boxes = [box for name in names.all()[:15] if (box := name.bounding_box())]
    frame = chart.bounding_box()
    assert frame
    assert all(box["x"] >= frame["x"] for box in boxes)
    # One below the other, none over another.
    tops = sorted(box["y"] for box in boxes)
    assert all(b - a >= 11 for a, b in itertools.pairwise(tops))


@SIZES
@pytest.mark.parametrize("slug", ["googlenet", "resnet"])
def test_the_text_of_figures_is_at_least_11_px_high(
    tab: Page, server: Server, slug: str, size: ViewportSize
) -> None:
    opened(tab, server, slug, size)
    figures = tab.get_by_test_id("stMermaidChart")
    expect(figures.locator("img")).to_have_count(2, timeout=SLOW_MS)
    for figure in figures.locator("img").all():
        expect(figure).to_have_js_property("complete", True)
        drawn = figure.evaluate(
            """async image => {
                const box = image.getBoundingClientRect();
                const copy = document.createElement('div');
                copy.innerHTML = await (await fetch(image.src)).text();
                document.body.append(copy);
                const written = [...copy.querySelectorAll('text, tspan, span, p')]
                    .filter(element => element.textContent.trim());
                const sizes = written.map(e => parseFloat(getComputedStyle(e).fontSize));
                copy.remove();
                return {
                    font: Math.min(...sizes) * box.width / image.naturalWidth,
                    left: box.x - image.parentElement.getBoundingClientRect().x,
                };
            }"""
        )
        assert 11 <= drawn["font"] < 30
        # It begins at the left, so that scrolling reaches all of it.
        assert drawn["left"] >= 0
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    # A title keeps its width while its figure is still to come.
    picture = figures.first.locator("img")
    picture.evaluate("image => image.style.display = 'none'")
    title = tab.get_by_role("heading", level=3).first.bounding_box()
    picture.evaluate("image => image.style.display = ''")
    assert title
    assert title["width"] > 190


def test_what_a_knob_leaves_alone_is_not_sent_again(tab: Page, server: Server) -> None:
    sent: list[bytes] = []

    def received(frame: str | bytes) -> None:
        sent.append(frame if isinstance(frame, bytes) else frame.encode())

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", received)

    tab.set_viewport_size(DESKTOP)
    tab.goto("about:blank")
    tab.on("websocket", listen)
    tab.goto(f"{server.url}/resnet?view=Architecture&image_size=97")
    expect(tab.get_by_test_id("stDataFrame")).to_be_visible(timeout=SLOW_MS)
    expect(tab.locator(IDLE)).to_be_visible()
    total = tab.get_by_test_id("stMetricValue").nth(1)
    code, figure = b"class Residual", b"flowchart TB"
    assert any(code in frame for frame in sent)
    # The figures have other shapes; then those again that the browser has seen.
    for press, is_new in (("ArrowLeft", True), ("ArrowRight", False)):
        before = total.text_content()
        sent.clear()
        tab.get_by_role("slider", name="Input size").press(press)
        expect(total).not_to_have_text(str(before), timeout=SLOW_MS)
        expect(tab.locator(IDLE)).to_be_visible()
        assert any(figure in frame for frame in sent) == is_new
        assert not any(code in frame for frame in sent)
    assert sum(map(len, sent)) < 20_000
    expect(tab.get_by_test_id("stMermaidChart").locator("img").first).to_be_visible()
    tab.get_by_text("cnnlab/networks/residual.py").click()
    expect(tab.get_by_test_id("stCode").filter(has_text="class Residual").first).to_be_visible()
