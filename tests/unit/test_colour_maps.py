"""Colour maps and what their ends stand for."""

from typing import Any

import numpy as np
import pytest

from cnnlab.colour_maps import DIVERGING, SEQUENTIAL, Range, colour_range
from cnnlab.errors import ConfigError


def lightness(rgb: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """CIE 1976 lightness, from 0 (black) to 100 (white)."""
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    y = linear @ np.array([0.2126, 0.7152, 0.0722])
    found: np.ndarray[Any, Any] = np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)
    return found


def test_the_sequential_map_goes_from_dark_to_light_in_equal_steps() -> None:
    light = lightness(SEQUENTIAL.levels(254))
    steps = np.diff(light)
    assert light[0] < 1
    assert light[-1] > 95
    assert (steps > 0).all()
    assert steps.max() < 2 * steps.mean()


def test_the_diverging_map_is_dark_at_zero_and_alike_to_both_sides() -> None:
    light = lightness(DIVERGING.levels(255))
    assert light.argmin() in range(124, 131)
    assert light.min() < 6
    # Berlin's two arms are equally long to a reader's eye.
    assert np.abs(light - light[::-1]).max() < 12


def test_values_below_zero_decide_the_automatic_scale() -> None:
    assert colour_range("auto", 0.0, 3.0) == Range(SEQUENTIAL, 0.0, 3.0)
    assert colour_range("auto", -1.0, 3.0) == Range(DIVERGING, -3.0, 3.0)
    assert colour_range("auto", -4.0, -1.0) == Range(DIVERGING, -4.0, 4.0)


def test_chosen_scales() -> None:
    assert colour_range("layer", -1.0, 3.0) == Range(SEQUENTIAL, -1.0, 3.0)
    assert colour_range("zero", 0.0, 3.0) == Range(DIVERGING, -3.0, 3.0)
    assert colour_range("channel", -1.0, 3.0) == Range(SEQUENTIAL, None, None)


def test_a_layer_of_zeros_has_no_two_sides() -> None:
    assert colour_range("zero", 0.0, 0.0) == Range(SEQUENTIAL, 0.0, 0.0)


def test_an_unknown_scale_is_named_and_the_known_ones_listed() -> None:
    with pytest.raises(ConfigError, match="no scale 'log'; there are auto, layer, zero, channel"):
        colour_range("log", 0.0, 1.0)  # type: ignore[arg-type]
