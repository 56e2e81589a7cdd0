"""The layers of the network as a strip of thumbnails, in running order."""

import math

import torch
from torch import Tensor, nn

from cnnlab.colour_maps import SEQUENTIAL
from cnnlab.layer_csv import shape_text
from cnnlab.layer_maps import STEPS, Layers
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
    data = maps_cache.drawn(("strip", asked.key), lambda: drawn(asked, maps_of(asked)))
    STRIP(key=KEY, data=data, on_picked_change=pick)


def pick() -> None:
    """Open the layer that was clicked."""
    if isinstance(name := maps_component.picked(KEY), str):
        state.put("layer", name)


def drawn(asked: Pass, maps: Layers) -> bytes:
    """What the browser draws the strip from."""
    pictures, outline = thumbnails(maps), asked.weights.trace.outline
    size = asked.weights.image_size
    layers = [
        {
            "name": name,
            "short": short(name),
            "width": picture.shape[1],
            "height": picture.shape[0],
            **about(outline.get_submodule(name), maps.shape(name), size),
        }
        for name, picture in zip(maps, pictures, strict=True)
    ]
    header = {
        "alt": f"{len(layers)} layers in running order",
        "colours": SEQUENTIAL.colours,
        "layers": layers,
    }
    return packed(header, b"".join(picture.numpy().tobytes() for picture in pictures))


def about(layer: nn.Module, shape: tuple[int, int, int], image_size: int) -> dict[str, object]:
    """Kind, shape and size of a thumbnail: what shrinks is drawn smaller, channels pile up.

    Shape: `shape` is that of the maps, (C, H, W).
    Units: `image_size` in pixels.
    """
    channels, height, width = shape
    is_vector = height == width == 1
    says = str(channels) if is_vector else f"{channels}×{height}²"
    if height != width:
        says = shape_text(shape, "×")
    px = LARGEST_PX - math.log2(max(1, image_size / max(height, width))) * 8
    return {
        "shape": says,
        "words": f"{type(layer).__name__}, {shape_text(shape, ' × ')}",
        "px": round(40 if is_vector else max(SMALLEST_PX, px)),
        "sheets": 0 if is_vector else min(MOST_SHEETS, round(math.log2(channels) / 2)),
    }


def short(name: str) -> str:
    """The last two parts of a layer's name, which tell it from its neighbours."""
    return ".".join(name.split(".")[-2:])


def thumbnails(maps: Layers) -> list[Tensor]:
    """Each layer as the mean of its channels, or the values of a vector, in running order.

    Shape: each (height, width) of uint8.
    """
    # All of one size at once: a network has few sizes, and many layers of each.
    of_size: dict[torch.Size, dict[str, Tensor]] = {}
    for name in maps:
        vector = maps.vector(name)
        values = maps.mean(name) if vector is None else as_cells(vector)
        of_size.setdefault(values.shape, {})[name] = values
    found: dict[str, Tensor] = {}
    for alike in of_size.values():
        found.update(zip(alike, coded(torch.stack(list(alike.values()))), strict=True))
    return [found[name] for name in maps]


def coded(values: Tensor) -> Tensor:
    """Each picture from its lowest value to its highest in 256 steps, no larger than is drawn.

    Shape: (N, H, W) -> (N, height, width) of uint8.
    """
    low, high = values.amin((1, 2), keepdim=True), values.amax((1, 2), keepdim=True)
    span = torch.where(high > low, high - low, 1.0)
    return reduced(((values - low) / span * STEPS).round().to(torch.uint8), SIDE)


def as_cells(vector: Tensor) -> Tensor:
    """A vector row by row in a square, the rest of it at the lowest value.

    Shape: (N,) -> (side, side).
    """
    side = math.ceil(math.sqrt(len(vector)))
    cells = vector.new_full((side * side,), float(vector.min()))
    cells[: len(vector)] = vector
    return cells.view(side, side)
