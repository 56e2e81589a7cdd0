"""Smoothed curves, and an axis for them that one spike does not flatten."""

import math

import pytest

from cnnlab.runs.smoothing import loss_top, smoothed
from cnnlab.runs.store import Curve


def falling(start: float = 2.3, points: int = 200) -> list[float]:
    return [start * math.exp(-step / 50) for step in range(points)]


def losses(values: list[float]) -> Curve:
    return Curve(train_loss=values)


def test_what_is_level_stays_where_it_is_from_the_first_point_on() -> None:
    assert smoothed([0.7] * 5) == pytest.approx([0.7] * 5)
    assert smoothed([]) == []


def test_noise_becomes_smaller() -> None:
    noisy = [1 + (-1) ** step * 0.5 for step in range(100)]
    assert max(abs(value - 1) for value in smoothed(noisy)[20:]) < 0.1


def test_a_gap_stays_a_gap_and_the_average_goes_on_behind_it() -> None:
    found = smoothed([1.0, math.nan, math.inf, 1.0])
    assert [math.isnan(value) for value in found] == [False, True, True, False]
    assert found[3] == pytest.approx(1.0)


def test_the_axis_shows_all_of_a_curve_without_spikes() -> None:
    top = loss_top([losses(falling())])
    assert top is not None
    assert 2.3 <= top <= 3


@pytest.mark.parametrize("at", [1, 100, 199])
def test_one_spike_does_not_flatten_the_axis(at: int) -> None:
    values = falling()
    values[at] = 500.0
    assert loss_top([losses(values)]) == loss_top([losses(falling())])


@pytest.mark.parametrize("wild", [1e6, math.inf, math.nan])
def test_a_run_that_diverged_leaves_the_others_their_height(wild: float) -> None:
    diverged = [2.3] * 20 + [wild] * 180
    top = loss_top([losses(falling()), losses(diverged)])
    assert top is not None
    assert 2.3 <= top <= 10


def test_test_losses_count_and_nothing_gives_no_axis() -> None:
    assert loss_top([]) is None
    assert loss_top([losses([]), losses([math.nan])]) is None
    assert loss_top([Curve(test_loss=[5.0, 5.0])]) == 5


def test_small_losses_have_a_small_axis() -> None:
    top = loss_top([losses([0.03, 0.02, 0.01])])
    assert top is not None
    assert 0.03 <= top < 0.04
