"""The maps of one layer: all channels side by side, one enlarged, what they have in common."""

import math

import streamlit as st

from cnnlab.colour_maps import SCALES, Range, Scale, colour_range
from cnnlab.errors import CnnLabError
from cnnlab.layer_csv import shape_text
from cnnlab.layer_maps import LayerMaps
from cnnlab.mosaic import mosaic
from cnnlab.networks.batch_norm import NormLayer, norm_kind
from pages.components import channel_table, colour_bar
from pages.components.colour_bar import number
from pages.components.maps_cache import Pass, maps_of

MOSAIC_PX = 720
LARGE_PX = 320
SCALE_TITLES: dict[Scale, str] = {
    "auto": "Automatic",
    "layer": "One for the layer",
    "zero": "About zero",
    "channel": "One per channel",
}
SCALE_HELP = (
    "What the colours are relative to. *One for the layer* goes from the layer's lowest value to "
    "its highest. *About zero* reaches equally far to both sides, zero is dark. *One per channel* "
    "shows faint patterns, but hides which channel is strong. *Automatic* is *About zero* where "
    "there are negative values, and otherwise *One for the layer*."
)


# A fragment: another layer is drawn without running the page. It holds the pass and not the maps,
# which are then kept in one place, where their memory is bounded.
@st.fragment
def show(asked: Pass) -> None:
    """The layer that is chosen, its channels and their statistics."""
    try:
        maps = maps_of(asked)
    except CnnLabError as error:
        st.error(str(error), icon=":material/image_not_supported:")
        return
    if not maps:
        st.info("No layer of this network makes maps: none has height and width left.")
        return
    pick, scales = st.columns([3, 1])
    # The words of a choice have to be the same for every network, or the slider keeps old ones.
    layer = str(pick.select_slider("Layer", list(maps), key="layer", bind="query-params"))
    scale: Scale = scales.selectbox(
        "Colours",
        SCALES,
        format_func=SCALE_TITLES.__getitem__,
        key="scale",
        bind="query-params",
        help=SCALE_HELP,
    )
    chosen = maps[layer]
    describe(asked, layer, chosen)
    colour_bar.show(range_of(chosen, scale))
    overview, detail = st.columns([2, 1])
    with overview:
        show_all(layer, chosen, range_of(chosen, scale))
    with detail:
        show_one(asked, layer, scale)
    channel_table.show(chosen, asked.weights.class_names(layer))


def describe(asked: Pass, layer: str, maps: LayerMaps) -> None:
    """The layer in a line, and what a reader may wonder about."""
    found = maps.statistics
    # The mean of the squares, less the square of the mean, over channels of equal size.
    mean = found.mean.mean()
    std = ((found.std**2 + found.mean**2).mean() - mean**2).clamp(min=0).sqrt()
    st.markdown(
        f"**{layer}**: {len(maps.low)} channels of {shape_text(maps.shape[1:], ' × ')} · "
        f"mean {number(float(mean))} · std {number(float(std))} · "
        f"zeros {float(found.zeros.mean()):.0%}"
    )
    if maps.has_non_finite:
        st.warning("This layer holds values that are not numbers; they are drawn as zero.")
    module = asked.weights.trace.outline.get_submodule(layer)
    usual = isinstance(module, NormLayer) and norm_kind(module) != "batch_statistics"
    if usual and not asked.weights.path:
        st.caption(
            "Fresh weights: batch norm has seen no batch, its mean is 0 and its variance 1, so it "
            "passes on what it gets. Choose the weights of a run to see it at work."
        )


def show_all(layer: str, maps: LayerMaps, colours: Range) -> None:
    """Every channel, and what the colours mean."""
    columns = math.ceil(math.sqrt(len(maps.low)))
    picture = mosaic(maps, colours, columns, tile=max(8, MOSAIC_PX // columns - 2))
    low, _, high = colour_bar.ends(colours)
    title = f"All {len(maps.low)} channels of {layer}"
    st.image(
        picture,
        width="stretch",
        caption=f"{title}, in rows of {columns}{crossed_out(maps)}",
        alt=f"{title} in rows of {columns}, coloured from {low} to {high}{crossed_out(maps)}",
    )


def crossed_out(maps: LayerMaps) -> str:
    """How many channels are the same everywhere, as the end of a sentence."""
    constant, dead = int(maps.constant.sum()), int(maps.dead.sum())
    if not constant:
        return ""
    zero = f", {dead} of them zero" if dead else ""
    return f". {constant} crossed out: the same value everywhere{zero}"


@st.fragment
def show_one(asked: Pass, layer: str, scale: Scale) -> None:
    """One channel, enlarged; another one is drawn without the rest of the layer."""
    maps = maps_of(asked)[layer]
    channel = choose_channel(len(maps.low))
    low, high = float(maps.low[channel]), float(maps.high[channel])
    classes = asked.weights.class_names(layer)
    title = f"Channel {channel} of {layer}{f', {classes[channel]}' if classes else ''}"
    if low == high:
        says = f"{number(low)} everywhere, crossed out"
    else:
        says = f"from {number(low)} to {number(high)}"
    picture = mosaic(maps.only(channel), range_of(maps, scale), columns=1, tile=LARGE_PX)
    st.image(picture, width="stretch", caption=f"{title}: {says}", alt=f"{title}: {says}")


def choose_channel(channels: int) -> int:
    if channels == 1:
        return 0
    return int(st.slider("Channel", 0, channels - 1, 0, key="channel", bind="query-params"))


def range_of(maps: LayerMaps, scale: Scale) -> Range:
    return colour_range(scale, float(maps.low.min()), float(maps.high.max()))
