"""The bubbles of the Compare page: their axes, their sizes, and names that stand free."""

import math
from typing import Any

import numpy as np
import pytest

from cnnlab.compare.contenders import Size
from cnnlab.compare.rows import Row, rows
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate
from pages.components import bubble_chart, network_chart
from pages.components.bubble_chart import MEASURES, Bubble
from tests.unit.test_label_placement import covered


def speed(config: RunConfig) -> Estimate:
    """The larger the picture, the slower."""
    return Estimate(step_s=config.image_size / 100, test_image_s=config.image_size / 1e5)


def table(size: Size) -> list[Row]:
    return rows(size, "fashion_mnist", [], speed)


def drawn(shown: tuple[Bubble, ...], x: str, y: str, screen: str) -> Any:
    return bubble_chart.chart(shown, x, y, screen).to_dict()


@pytest.mark.parametrize("screen", network_chart.SCREENS_PX)
@pytest.mark.parametrize(
    ("size", "x", "y"),
    [
        ("small", "macs", "params"),
        ("small", "predict", "memory"),
        ("full", "macs", "accuracy"),
        ("full", "macs", "params"),
        ("full", "params", "memory"),
    ],
)
def test_no_name_covers_another_at_any_width(size: Size, x: str, y: str, screen: str) -> None:
    shown = bubble_chart.bubbles(table(size), x, y)
    layout = drawn(shown, x, y, screen)["layout"]
    names = layout["annotations"]
    assert [name["text"] for name in names] == [one.title for one in shown]
    (low_x, high_x), (low_y, high_y) = layout["xaxis"]["range"], layout["yaxis"]["range"]
    height_px = layout["height"] - layout["margin"]["t"] - layout["margin"]["b"]
    shares = np.array(
        [((n["x"] - low_x) / (high_x - low_x), (high_y - n["y"]) / (high_y - low_y)) for n in names]
    )
    assert ((shares > 0) & (shares < 1)).all()
    offsets = np.array([(name["ax"], name["ay"]) for name in names], np.float64)
    sizes = np.array([(network_chart.text_px(name["text"]), 14) for name in names])
    widths_px = network_chart.SCREENS_PX[screen]
    for width_px in range(widths_px[0], widths_px[-1], 10):
        assert covered(shares * (width_px, height_px), offsets, sizes) == [], width_px


def test_what_is_not_known_is_not_drawn() -> None:
    found = rows("full", "shapes", [], None)
    assert bubble_chart.bubbles(found, "macs", "accuracy") == ()
    assert bubble_chart.bubbles(found, "predict", "params") == ()
    assert len(bubble_chart.bubbles(found, "macs", "params")) == len(found)


def test_a_bubble_grows_with_its_parameters_by_a_step_for_each_tenfold() -> None:
    sizes = [Bubble("", "small", 1, 1, 10**power).radius_px for power in (3, 4, 5, 6)]
    assert sizes[0] == sizes[1] == bubble_chart.SMALLEST_PX
    steps = np.diff(sizes[1:])
    assert steps == pytest.approx(bubble_chart.TENFOLD_PX)


def test_shares_have_a_plain_axis_and_the_rest_a_logarithmic_one() -> None:
    shown = bubble_chart.bubbles(table("full"), "macs", "accuracy")
    layout = drawn(shown, "macs", "accuracy", "wide")["layout"]
    assert layout["xaxis"]["type"] == "log"
    assert "type" not in layout["yaxis"]
    low, high = layout["xaxis"]["range"]
    macs = [one.x for one in shown]
    assert low < math.log10(min(macs)) < math.log10(max(macs)) < high
    # One that is alone has room around it too.
    alone = drawn(shown[:1], "macs", "accuracy", "wide")["layout"]
    assert alone["yaxis"]["range"][0] < shown[0].y < alone["yaxis"]["range"][1]


def test_every_measure_reads_a_row() -> None:
    row = table("full")[0]
    found = {name: measure.read(row) for name, measure in MEASURES.items()}
    assert found["predict"] == pytest.approx(1000 * 28 / 1e5)
    assert found["train"] == pytest.approx(1000 * 0.28 / 256)
    assert (found["params"], found["macs"]) == (row.params, row.macs)
    assert found["memory"] == pytest.approx(row.memory_bytes / 1e6)
    assert found["accuracy"] == 0.806
