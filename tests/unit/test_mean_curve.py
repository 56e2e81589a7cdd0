"""The mean of several curves whose points do not lie at the same places."""

import math

import pytest

from cnnlab.runs.mean_curve import mean_curve


def test_nothing_has_no_mean() -> None:
    assert mean_curve([]) is None
    assert mean_curve([([], []), ([1.0], [math.nan])]) is None
    assert mean_curve([([1.0, 2.0], [1.0, 1.0]), ([3.0], [1.0])]) is None


def test_mean_and_band_at_the_same_places() -> None:
    found = mean_curve([([1, 2], [0.25, 0.5]), ([1, 2], [0.75, 1.0])])
    assert found is not None
    assert found.x.tolist() == [1, 2]
    assert found.mean.tolist() == [0.5, 0.75]
    assert found.low.tolist() == [0.25, 0.5]
    assert found.high.tolist() == [0.75, 1.0]


def test_other_places_are_read_between_points_and_only_where_all_curves_are() -> None:
    dense = ([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 3.0, 4.0])
    found = mean_curve([dense, ([0.5, 3.5], [2.5, 5.5])])
    assert found is not None
    assert found.x.tolist() == [1, 2, 3]
    assert found.mean.tolist() == pytest.approx([2, 3, 4])
    assert found.high.tolist() == pytest.approx([3, 4, 5])


def test_what_is_no_number_is_left_out() -> None:
    found = mean_curve([([1, 2, 3], [1.0, math.nan, 3.0]), ([1, 2, 3], [1.0, 5.0, 3.0])])
    assert found is not None
    assert found.mean.tolist() == pytest.approx([1, 3.5, 3])
