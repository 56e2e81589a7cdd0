"""The layers of the network as a strip of thumbnails, in running order."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from cnnlab.colour_maps import SEQUENTIAL
from cnnlab.layer_csv import shape_text
from cnnlab.layer_maps import STEPS, LayerMaps
from cnnlab.mosaic import reduced
from pages.components import maps_cache, maps_component, state
from pages.components.maps_cache import Pass, maps_of
from pages.components.packed import packed

KEY = "layer_strip"
# What a thumbnail holds, and how large the first and the smallest are drawn.
SIDE = 24
LARGEST_PX, SMALLEST_PX = 60, 10
MOST_SHEETS = 5
STRIP = maps_component.component("layer_strip")


def show(asked: Pass) -> None:
    """The strip; a click on a thumbnail opens its layer."""
    data = maps_cache.drawn(("strip", asked), lambda: drawn(asked, maps_of(asked)))
    STRIP(key=KEY, data=data, on_picked_change=pick)


def pick() -> None:
    """Open the layer that was clicked."""
    if isinstance(name := maps_component.picked(KEY), str):
        state.put("layer", name)


def drawn(asked: Pass, maps: Mapping[str, LayerMaps]) -> bytes:
    """What the browser draws the strip from."""
    pictures = [thumbnail(layer) for layer in maps.values()]
    layers = [
        about(name, layer, picture, asked)
        for (name, layer), picture in zip(maps.items(), pictures, strict=True)
    ]
    header = {
        "alt": f"{len(layers)} layers in running order",
        "colours": SEQUENTIAL.colours,
        "layers": layers,
    }
    return packed(header, b"".join(picture.numpy().tobytes() for picture in pictures))


def about(name: str, layer: LayerMaps, picture: Tensor, asked: Pass) -> dict[str, object]:
    """Name, shape and size of a thumbnail: what shrinks is drawn smaller, channels pile up."""
    channels, height, width = layer.shape
    is_vector = height == width == 1
    kind = type(asked.weights.trace.outline.get_submodule(name)).__name__
    shape = str(channels) if is_vector else f"{channels}×{height}²"
    if height != width:
        shape = shape_text(layer.shape, "×")
    halvings = math.log2(max(1, asked.weights.image_size / max(height, width)))
    px = LARGEST_PX - halvings * 8
    return {
        "name": name,
        "short": short(name),
        "shape": shape,
        "words": f"{kind}, {shape_text(layer.shape, ' × ')}",
        "width": picture.shape[1],
        "height": picture.shape[0],
        "px": round(40 if is_vector else max(SMALLEST_PX, px)),
        "sheets": 0 if is_vector else min(MOST_SHEETS, round(math.log2(channels) / 2)),
    }


def short(name: str) -> str:
    """The last two parts of a layer's name, which tell it from its neighbours."""
    return ".".join(name.split(".")[-2:])


def thumbnail(layer: LayerMaps) -> Tensor:
    """The mean of all channels, or the values of a vector, from the lowest to the highest.

    Shape: (height, width) of uint8.
    """
    values = layer.mean_map
    if values.numel() == 1:
        values = as_cells(layer.low)
    low, high = values.min(), values.max()
    codes = (values - low) / (high - low if high > low else 1) * STEPS
    return reduced(codes.round().to(torch.uint8)[None], SIDE)[0]


def as_cells(vector: Tensor) -> Tensor:
    """A vector row by row in a square, the rest of it at the lowest value.

    Shape: (N,) -> (side, side).
    """
    side = math.ceil(math.sqrt(len(vector)))
    cells = vector.new_full((side * side,), float(vector.min()))
    cells[: len(vector)] = vector
    return cells.view(side, side)
