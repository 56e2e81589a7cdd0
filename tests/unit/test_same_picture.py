"""Layers of networks aligned by the size of their maps."""

import io
from unittest.mock import Mock

import pytest
import torch
from PIL import Image

from cnnlab.compare import pictures
from cnnlab.layer_maps import Layers, Output, keep


@pytest.mark.parametrize(
    ("size", "side", "found"),
    [(32, 32, 0), (32, 28, 0), (32, 16, 1), (48, 11, 2), (40, 5, 3), (224, 7, 5), (32, 64, 0)],
)
def test_a_size_is_how_often_the_picture_was_halved(size: int, side: int, found: int) -> None:
    assert pictures.halvings(size, side) == found


def test_the_last_layer_of_each_size_stands_for_it() -> None:
    sides = {"conv1": 32, "act1": 32, "pool1": 16, "conv2": 16, "pool": 1}
    outputs = {name: Output(name, torch.rand(2, side, side), True) for name, side in sides.items()}
    assert pictures.by_size(32, Layers(outputs, Mock())) == {0: "act1", 1: "conv2"}


def test_the_channels_that_vary_most_are_drawn_in_their_order() -> None:
    spread = torch.tensor([1.0, 5.0, 0.0, 4.0, 3.0, 2.0])
    maps = keep(torch.linspace(-1, 1, 64).reshape(1, 8, 8) * spread[:, None, None])
    assert pictures.liveliest(maps).high.tolist() == pytest.approx([5, 4, 3, 2])
    drawn = Image.open(io.BytesIO(pictures.drawn(maps)))
    assert drawn.format == "PNG"
    assert drawn.size == (2 * pictures.TILE_PX + 2,) * 2
    # A layer of fewer channels has all of them.
    assert pictures.liveliest(keep(torch.rand(3, 4, 4))).codes.shape[0] == 3
