"""The same picture in all networks: what each makes of it, size by size."""

import io
import math

from cnnlab.colour_maps import colour_range
from cnnlab.layer_maps import LayerMaps, Layers
from cnnlab.mosaic import mosaic

# How many channels of a layer are drawn, and how large each of them.
CHANNELS, TILE_PX = 4, 44


def halvings(image_size: int, side: int) -> int:
    """How often a layer's picture was halved: 0 at full size, 1 at half of it, and so on.

    Units: pixels.
    """
    return max(0, round(math.log2(image_size / side)))


def by_size(image_size: int, maps: Layers) -> dict[int, str]:
    """The last layer of each size, by how often the picture was halved.

    What has one pixel left is no picture any more, and is left out.
    """
    sides = {name: max(maps.shape(name)[1:]) for name in maps}
    return {halvings(image_size, side): name for name, side in sides.items() if side > 1}


def liveliest(maps: LayerMaps) -> LayerMaps:
    """The channels that vary most over the picture, in their order."""
    chosen = maps.order("variance")[:CHANNELS].sort().values
    return maps.those(chosen)


def drawn(maps: LayerMaps) -> bytes:
    """The liveliest channels, each from its own lowest value to its highest, as a PNG file."""
    shown, file = liveliest(maps), io.BytesIO()
    low, high = float(shown.low.min()), float(shown.high.max())
    columns = math.ceil(math.sqrt(len(shown.low)))
    mosaic(shown, colour_range("channel", low, high), columns, TILE_PX).save(file, "PNG")
    return file.getvalue()
