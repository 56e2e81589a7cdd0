"""Curves of the activations: the functions of the text, and their slopes."""

import math

import pytest

from cnnlab.activation_curves import activation_curve


def test_sigmoid_is_that_of_the_text() -> None:
    curve = activation_curve("sigmoid")
    for x, y, slope in zip(curve.x, curve.y, curve.slope, strict=True):
        assert y == pytest.approx(1 / (1 + math.exp(-x)))
        assert slope == pytest.approx(y * (1 - y))
    assert max(curve.slope) == pytest.approx(1 / 4)
    assert curve.slope[curve.x.index(5)] == pytest.approx(0.007, abs=0.0005)


def test_relu_passes_what_is_positive_and_its_slope_is_one_there() -> None:
    curve = activation_curve("relu")
    for x, y, slope in zip(curve.x, curve.y, curve.slope, strict=True):
        assert y == max(0, x)
        assert slope == (1 if x > 0 else 0)
