"""Names on the chart of all networks cover neither each other nor a point."""

from itertools import combinations

import numpy as np
import pytest

from pages.components import label_placement, network_chart
from pages.components.home import costs
from pages.components.label_placement import Array
from pages.components.network_chart import NetworkCost


def covered(at: Array, offsets: Array, sizes: Array) -> list[tuple[int, int]]:
    """Pairs of labels that overlap."""
    centres = at + offsets
    return [
        (i, j)
        for i, j in combinations(range(len(centres)), 2)
        if (np.abs(centres[i] - centres[j]) < (sizes[i] + sizes[j]) / 2).all()
    ]


def struck_through(at: Array, offsets: Array, sizes: Array) -> list[tuple[int, int]]:
    """Pairs of which the line that ties the first label to its point passes over the second."""
    lines = at[:, None] + np.linspace(0, 1, 40)[:, None] * offsets[:, None]
    over = np.abs(lines[:, None] - (at + offsets)[None, :, None]) < sizes[None, :, None] / 2 - 1
    hits = np.argwhere(np.any(np.all(over, axis=3), axis=2))
    return [(int(i), int(j)) for i, j in hits if i != j]


@pytest.fixture(scope="module")
def networks() -> list[NetworkCost]:
    return costs()


@pytest.mark.parametrize("screen", network_chart.SCREENS_PX)
def test_at_every_width_each_network_has_a_name_that_stands_free(
    networks: list[NetworkCost], screen: str
) -> None:
    figure = network_chart.figure(networks, screen)
    names = figure.layout.annotations
    assert [name.text for name in names] == [cost.title for cost in networks]
    (low_x, high_x), (low_y, high_y) = figure.layout.xaxis.range, figure.layout.yaxis.range
    margin = figure.layout.margin
    height_px = figure.layout.height - margin.t - margin.b
    shares = np.array(
        [((n.x - low_x) / (high_x - low_x), (high_y - n.y) / (high_y - low_y)) for n in names]
    )
    offsets = np.array([(name.ax, name.ay) for name in names], np.float64)
    sizes = np.array([(network_chart.text_px(name.text), 14) for name in names])
    widths_px = network_chart.SCREENS_PX[screen]
    for width_px in range(widths_px[0], widths_px[-1], 10):
        at = shares * (width_px, height_px)
        assert covered(at, offsets, sizes) == [], width_px
        assert struck_through(at, offsets, sizes) == [], width_px
        assert (at + offsets - sizes / 2 >= 0).all()
        assert (at + offsets + sizes / 2 <= (width_px, height_px)).all()
        on_points = np.abs((at + offsets)[:, None] - at[None]) < sizes[:, None] / 2
        assert not on_points.all(2).any(), width_px


def test_points_on_one_spot_get_names_around_it() -> None:
    points = np.full((6, 2), 0.5)
    sizes = np.tile([50.0, 16.0], (6, 1))
    offsets = label_placement.place(points, sizes, [300], 300)
    assert covered(points * 300, offsets, sizes) == []


def test_a_lone_label_is_close_to_its_point() -> None:
    offsets = label_placement.place(np.array([[0.5, 0.5]]), np.array([[50.0, 16.0]]), [300], 300)
    assert np.linalg.norm(offsets[0]) < 50
