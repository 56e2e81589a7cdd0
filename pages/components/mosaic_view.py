"""All channels of a layer in one picture: pointing reads a value, a click opens a channel."""

import math

from cnnlab.colour_maps import Range, Scale, colour_range
from cnnlab.layer_maps import LayerMaps, Order
from cnnlab.mosaic import reduced
from pages.components import colour_bar, maps_cache, maps_component, state
from pages.components.maps_cache import Pass, maps_of
from pages.components.packed import packed

# The width that is drawn for; the browser fits it to the screen.
MOSAIC_PX = 720
GAP_PX = 2
# A vector of ten is no wall of ten stripes.
LARGEST_TILE_PX = 176
HINT = "Point at a tile to read its values; click one to open it."
MOSAIC = maps_component.component("mosaic", "board")


def show(asked: Pass, layer: str, scale: Scale, order: Order, place: str = "") -> None:
    """The mosaic. `place` tells two of them apart, side by side."""
    key = f"mosaic{place}"

    def pick() -> None:
        if isinstance(channel := maps_component.picked(key), int):
            state.put("channel", channel)

    maps = maps_of(asked)[layer]
    colour_bar.show(range_of(maps, scale))
    data = maps_cache.drawn(
        ("mosaic", asked.key, layer, scale, order),
        lambda: drawn(asked, layer, scale, order),
    )
    MOSAIC(key=key, data=data, on_picked_change=pick)


def drawn(asked: Pass, layer: str, scale: Scale, order: Order) -> bytes:
    """What the browser draws the mosaic from: values in 256 steps, and what they stand for."""
    maps, names = maps_of(asked)[layer], asked.weights.class_names(layer)
    columns = math.ceil(math.sqrt(len(maps.low)))
    tile = max(1, min(LARGEST_TILE_PX, MOSAIC_PX // columns - GAP_PX))
    codes, colours = reduced(maps.codes, tile), range_of(maps, scale)
    low, high, constant = maps.low.tolist(), maps.high.tolist(), maps.constant.tolist()
    chosen = maps.order(order)
    header = {
        "layer": layer,
        "alt": alt(layer, maps, colours, columns),
        "hint": HINT,
        "columns": columns,
        "rows": maps.shape[1],
        "columns_of_map": maps.shape[2],
        "height": codes.shape[1],
        "width": codes.shape[2],
        "times": max(1, tile // codes.shape[2]),
        "reduced": codes.shape != maps.shape,
        "colours": colours.colours.colours,
        "range": {"low": colours.low, "high": colours.high},
        "channels": [
            {
                "id": i,
                "low": low[i],
                "high": high[i],
                "constant": constant[i],
                "name": names[i] if names else "",
            }
            for i in chosen.tolist()
        ],
    }
    return packed(header, codes[chosen].numpy().tobytes())


def alt(layer: str, maps: LayerMaps, colours: Range, columns: int) -> str:
    """The mosaic in words."""
    low, _, high = colour_bar.ends(colours)
    return (
        f"All {len(maps.low)} channels of {layer} in rows of {columns}, "
        f"coloured from {low} to {high}{crossed_out(maps)}"
    )


def crossed_out(maps: LayerMaps) -> str:
    """How many channels are the same everywhere, as the end of a sentence."""
    constant, dead = int(maps.constant.sum()), int(maps.dead.sum())
    if not constant:
        return ""
    zero = f", {dead} of them zero (dead)" if dead else ""
    return f". {constant} crossed out: the same value everywhere{zero}"


def range_of(maps: LayerMaps, scale: Scale) -> Range:
    return colour_range(scale, float(maps.low.min()), float(maps.high.max()))
