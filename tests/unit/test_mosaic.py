"""The mosaic of a layer's channels: where each stands and what its colours mean."""

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlab.colour_maps import Range, Scale, colour_range
from cnnlab.layer_maps import LayerMaps, keep
from cnnlab.mosaic import (
    COLOURS,
    DARK_MARK,
    EMPTY,
    LIGHT_MARK,
    LIGHT_RGB,
    cross,
    mosaic,
    tiles,
    translated,
)
from tests.unit.test_layer_maps import any_maps


def ranged(kept: LayerMaps, scale: Scale = "auto") -> Range:
    return colour_range(scale, float(kept.low.min()), float(kept.high.max()))


@settings(deadline=None, max_examples=60)
@given(any_maps, st.sampled_from(["layer", "zero"]))
def test_one_scale_for_all_channels(array: np.ndarray[Any, Any], scale: Scale) -> None:
    kept = keep(torch.from_numpy(array))
    ends = ranged(kept, scale)
    indices = translated(kept.codes, kept, ends).astype(float)
    assert ends.low is not None
    assert ends.high is not None
    if ends.low == ends.high:
        assert (indices == 0).all()
        return
    values = np.nan_to_num(array.astype(np.float64), nan=0).clip(-1e15, 1e15)
    exact = (values - ends.low) / (ends.high - ends.low) * (COLOURS - 1)
    assert np.abs(indices - exact).max() <= 1.01


@settings(deadline=None, max_examples=60)
@given(any_maps)
def test_a_scale_for_each_channel_spans_all_colours(array: np.ndarray[Any, Any]) -> None:
    kept = keep(torch.from_numpy(array))
    indices = translated(kept.codes, kept, ranged(kept, "channel"))
    for channel, constant in zip(indices, kept.low == kept.high, strict=True):
        assert (channel.min(), channel.max()) == ((0, 0) if constant else (0, COLOURS - 1))


def test_before_and_after_a_scaling_look_different_on_one_scale_and_alike_on_their_own() -> None:
    """What batch norm does to channels of different spread is seen only on a common scale."""
    maps = torch.randn(2, 8, 8)
    wild = torch.stack([maps[0], maps[1] / 50])
    before, after = keep(wild), keep(wild / wild.std((1, 2), keepdim=True))

    def spreads(kept: LayerMaps, scale: Scale) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any] = translated(kept.codes, kept, ranged(kept, scale))
        spread: np.ndarray[Any, Any] = found.astype(float).std((1, 2))
        return spread

    assert spreads(before, "auto")[0] > 20 * spreads(before, "auto")[1]
    assert np.ptp(spreads(after, "auto")) < 30
    assert np.allclose(spreads(before, "channel"), spreads(after, "channel"), rtol=0.05)


@settings(deadline=None, max_examples=80)
@given(any_maps, st.integers(1, 12), st.integers(1, 20), st.integers(0, 4))
def test_every_channel_has_its_place(
    array: np.ndarray[Any, Any], columns: int, tile: int, gap: int
) -> None:
    kept = keep(torch.from_numpy(array))
    ends = ranged(kept)
    picture = mosaic(kept, ends, columns, tile, gap)
    pixels = np.asarray(picture)
    rows = -(-len(array) // columns)
    assert pixels.shape == (rows * (tile + gap) - gap, columns * (tile + gap) - gap)
    left_over = np.ones(pixels.shape, dtype=bool)
    for i, alone in enumerate(tiles(kept, ends, tile)):
        top, left = (i // columns) * (tile + gap), (i % columns) * (tile + gap)
        part = np.s_[top : top + tile, left : left + tile]
        np.testing.assert_array_equal(pixels[part], alone)
        left_over[part] = False
        assert (alone != EMPTY).all()
    assert (pixels[left_over] == EMPTY).all()


@settings(deadline=None, max_examples=60)
@given(side=st.integers(2, 8), factor=st.integers(1, 4), channels=st.integers(1, 5))
def test_enlarged_tiles_repeat_every_pixel(side: int, factor: int, channels: int) -> None:
    kept = keep(torch.randn(channels, side, side))
    ends = ranged(kept)
    assert not kept.constant.any()
    expected = np.kron(translated(kept.codes, kept, ends), np.ones((factor, factor), np.uint8))
    np.testing.assert_array_equal(tiles(kept, ends, side * factor), expected)


def test_shrunk_tiles_average_their_pixels() -> None:
    """A fine chequerboard gets the middle colour; every other pixel would make it dark."""
    maps = (torch.arange(16)[:, None] + torch.arange(16)).remainder(2).float()[None]
    kept = keep(maps)
    assert set(np.unique(tiles(kept, ranged(kept), 8))) <= {126}


def test_a_dead_channel_is_dark_and_crossed_out_and_an_empty_cell_shows_the_page() -> None:
    for lowest in (0.0, -1.0):
        live = torch.tensor([[lowest, 1.0], [0.5, 0.2]])
        nearly = torch.tensor([[0.0, 0.02], [0.0, 0.0]])
        kept = keep(torch.stack([torch.zeros(2, 2), nearly, live]))
        rgba = np.asarray(mosaic(kept, ranged(kept), 2, 40, gap=0).convert("RGBA")).astype(int)
        dead, almost, empty = rgba[:40, :40], rgba[:40, 40:], rgba[40:, 40:]
        crossed = cross(40)
        assert (dead[crossed] == (*LIGHT_RGB, 255)).all()
        assert dead[~crossed][:, :3].max() < 30
        assert dead[~crossed][:, :3].sum(1).max() <= almost[..., :3].sum(2).max()
        assert not (almost == (*LIGHT_RGB, 255)).all(-1).any()
        assert (empty[..., 3] == 0).all()


def test_a_cross_is_seen_on_dark_and_on_light() -> None:
    kept = keep(torch.stack([torch.zeros(2, 2), torch.ones(2, 2), torch.eye(2)]))
    dark, light, live = tiles(kept, ranged(kept), 20)
    assert (dark[cross(20)] == LIGHT_MARK).all()
    assert (light[cross(20)] == DARK_MARK).all()
    assert live.max() < COLOURS


def test_maps_of_one_value_are_not_crossed_out() -> None:
    """A class score after the average is the same everywhere, because it is only somewhere."""
    kept = keep(torch.tensor([0.0, 1.0, 2.0])[:, None, None])
    assert tiles(kept, ranged(kept), 20).max() < COLOURS


def test_the_picture_keeps_nothing_but_its_pixels_and_what_is_clear() -> None:
    kept = keep(torch.rand(3, 4, 4))
    assert mosaic(kept, ranged(kept), 2, 8).info == {"transparency": EMPTY}
