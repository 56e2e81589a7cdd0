"""All channels of a layer as one picture."""

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn

from cnnlab.colour_maps import Range
from cnnlab.layer_maps import STEPS, LayerMaps

# A picture with a palette: colours of values, one for marks, one that lets the page through.
COLOURS, LIGHT_MARK, DARK_MARK, EMPTY = 253, 253, 254, 255
LIGHT_RGB, DARK_RGB = (160, 160, 160), (0, 0, 0)
# Colours that are lighter than this get a dark mark, of 255.
LIGHT = 110
Indices = npt.NDArray[np.uint8]


def mosaic(maps: LayerMaps, colours: Range, columns: int, tile: int, gap: int = 2) -> Image.Image:
    """The channels row by row, each enlarged or shrunk to `tile` pixels.

    A channel that is the same everywhere is outlined and crossed out. Between the tiles, and
    where there is no channel, the page shows through.

    Shape: maps (C, H, W).
    Units: `tile` and `gap` in pixels.
    """
    return picture(lay_out(tiles(maps, colours, tile), columns, gap), colours)


def tiles(maps: LayerMaps, colours: Range, tile: int) -> Indices:
    """Each channel as palette indices, constant ones marked. Shape: (C, tile, tile)."""
    if maps.shape[-1] > tile:
        indices = translated(reduced(maps.codes, tile), maps, colours)
    else:
        small = torch.from_numpy(translated(maps.codes, maps, colours))[:, None]
        indices = nn.functional.interpolate(small, (tile, tile), mode="nearest")[:, 0].numpy()
    lightness = colours.colours.levels(COLOURS).mean(1)
    for channel in maps.constant.nonzero().flatten().tolist():
        is_light = lightness[indices[channel, 0, 0]] > LIGHT
        indices[channel, cross(tile)] = DARK_MARK if is_light else LIGHT_MARK
    return indices


def reduced(codes: Tensor, side: int) -> Tensor:
    """Maps at `side` × `side` pixels where they are larger, each the mean of those under it.

    Shape: (C, H, W) of uint8 -> (C, height, width).
    """
    if codes.shape[-1] <= side:
        return codes
    # Means of the codes are codes of the means: both are in equal steps.
    small = nn.functional.interpolate(codes[:, None].float(), (side, side), mode="area")
    return small[:, 0].round().to(torch.uint8)


def translated(codes: Tensor, maps: LayerMaps, colours: Range) -> Indices:
    """Steps within a channel as steps within the range of the colours.

    Shape: (C, height, width).
    """
    low, high = maps.low.double()[:, None], maps.high.double()[:, None]
    values = low + (high - low) * torch.arange(STEPS + 1) / STEPS
    bottom = low if colours.low is None else torch.tensor(colours.low, dtype=torch.float64)
    top = high if colours.high is None else torch.tensor(colours.high, dtype=torch.float64)
    share = (values - bottom) / torch.where(top > bottom, top - bottom, 1.0)
    table = (share.clamp(0, 1) * (COLOURS - 1)).round().to(torch.uint8).numpy()
    array: Indices = table[np.arange(len(table))[:, None, None], codes.numpy()]
    return array


def cross(tile: int) -> npt.NDArray[np.bool_]:
    """The outline and one diagonal of a tile. Shape: (tile, tile)."""
    x = np.arange(tile)
    thick = max(1, tile // 80)
    edge = (x < thick) | (x >= tile - thick)
    found: npt.NDArray[np.bool_] = edge[:, None] | edge | (abs(x[:, None] - x) < thick)
    return found


def lay_out(tiles: Indices, columns: int, gap: int) -> Indices:
    """Tiles row by row with gaps between them. Shape: (C, t, t) -> (height, width)."""
    rows, side = -(-len(tiles) // columns), tiles.shape[1] + gap
    cells = np.full((rows * columns, side, side), EMPTY, np.uint8)
    cells[: len(tiles), : side - gap, : side - gap] = tiles
    laid = cells.reshape(rows, columns, side, side).swapaxes(1, 2)
    canvas: Indices = laid.reshape(rows * side, columns * side)
    return canvas[: rows * side - gap, : columns * side - gap]


def picture(indices: Indices, colours: Range) -> Image.Image:
    """Palette indices as a picture, of which nothing but its pixels is kept."""
    found = Image.fromarray(np.ascontiguousarray(indices), "L")
    palette = [*colours.colours.levels(COLOURS).flatten().tolist(), *LIGHT_RGB, *DARK_RGB, 0, 0, 0]
    found.putpalette(palette)
    found.info["transparency"] = EMPTY
    return found
