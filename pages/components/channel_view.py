"""One channel: enlarged, its histogram, its statistics, and the weights that made it."""

from html import escape

import streamlit as st

from cnnlab.colour_maps import Scale
from cnnlab.layer_maps import LayerMaps
from pages.components import channel_weights, maps_component, state
from pages.components.colour_bar import number
from pages.components.maps_cache import Pass, maps_of
from pages.components.mosaic_view import range_of
from pages.components.packed import packed

# Which value the reader has taken: the layer, the row and the column.
TAKEN = "value_taken"
# Of two channels side by side, in which one: its `place`.
TAKEN_IN = "value_taken_in"
CHOSEN = "channel"
HINT = "Point to read a value. Click one to see how it was computed."
KEYS = "Arrow keys move over the values, Enter takes one."
HISTOGRAM_PX = 56
CHANNEL = maps_component.component("channel", "board")


def choose(maps: LayerMaps) -> int:
    """The channel that is enlarged: first of all the one that varies most over the picture."""
    channels = len(maps.low)
    if channels == 1:
        return 0
    chosen = state.get(CHOSEN)
    is_first = chosen is None and CHOSEN not in st.query_params
    # Another layer may have fewer channels than the one that was left.
    if is_first or (isinstance(chosen, int) and not 0 <= chosen < channels):
        state.put(CHOSEN, int(maps.statistics.std.argmax()))
    return int(st.slider("Channel", 0, channels - 1, key=CHOSEN, bind="query-params"))


def show(asked: Pass, layer: str, channel: int, scale: Scale, place: str = "") -> None:
    """The channel. `place` tells two of them apart, side by side."""
    key = f"channel_view{place}"

    def pick() -> None:
        if isinstance(at := maps_component.picked(key), list) and len(at) == 2:
            state.put(TAKEN, (layer, int(at[0]), int(at[1])))
            state.put(TAKEN_IN, place)

    maps = maps_of(asked)[layer]
    says = words(asked, layer, channel, maps)
    st.markdown(f"**{says}**" if not place else says)
    CHANNEL(key=key, data=drawn(layer, channel, maps, scale, says), on_picked_change=pick)
    found = maps.statistics
    st.caption(
        f"Mean {number(float(found.mean[channel]))} · std {number(float(found.std[channel]))} · "
        f"zeros {float(found.zeros[channel]):.0%}"
    )
    if maps.codes[0].numel() > 1:
        st.html(histogram(maps, channel))
    channel_weights.show(asked, layer, channel)


def taken(layer: str, maps: LayerMaps) -> tuple[int, int] | None:
    """Row and column of the value that the reader took in this layer, if it is there."""
    found = state.get(TAKEN)
    if not isinstance(found, tuple) or found[0] != layer:
        return None
    row, column = found[1:]
    return (row, column) if row < maps.shape[1] and column < maps.shape[2] else None


def words(asked: Pass, layer: str, channel: int, maps: LayerMaps) -> str:
    """Which channel it is, and between which values."""
    classes = asked.weights.class_names(layer)
    title = f"Channel {channel} of {layer}{f', {classes[channel]}' if classes else ''}"
    low, high = float(maps.low[channel]), float(maps.high[channel])
    if low != high:
        return f"{title}: from {number(low)} to {number(high)}"
    if maps.codes[0].numel() == 1:
        return f"{title}: {number(low)}"
    return f"{title}: {number(low)} everywhere{', dead' if low == 0 else ''}"


def drawn(layer: str, channel: int, maps: LayerMaps, scale: Scale, says: str) -> bytes:
    """What the browser draws the channel from."""
    colours = range_of(maps, scale)
    header = {
        "alt": says,
        "hint": HINT,
        "keys": KEYS,
        "channel": channel,
        "rows": maps.shape[1],
        "columns": maps.shape[2],
        "low": float(maps.low[channel]),
        "high": float(maps.high[channel]),
        "colours": colours.colours.colours,
        "range": {"low": colours.low, "high": colours.high},
        "chosen": taken(layer, maps),
    }
    return packed(header, maps.codes[channel].numpy().tobytes())


def histogram(maps: LayerMaps, channel: int) -> str:
    """How often each value occurs, as bars from the lowest to the highest."""
    counts = maps.histogram(channel).tolist()
    low, high = float(maps.low[channel]), float(maps.high[channel])
    bars = "".join(
        f'<div style="flex:1;background:#8a8f98;height:{100 * n / max(counts):.1f}%"></div>'
        for n in counts
    )
    most = counts.index(max(counts))
    at = low + (high - low) * (most + 0.5) / len(counts)
    alt = f"Histogram of {sum(counts):,} values; {counts[most]:,} of them near {number(at)}"
    return (
        f'<div role="img" aria-label="{escape(alt)}" style="display:flex;align-items:flex-end;'
        f'gap:1px;height:{HISTOGRAM_PX}px">{bars}</div>'
        '<div style="display:flex;justify-content:space-between;font-size:0.75rem">'
        f"<span>{number(low)}</span><span>how often each value occurs</span>"
        f"<span>{number(high)}</span></div>"
    )
