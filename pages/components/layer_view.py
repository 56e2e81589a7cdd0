"""The layers, the maps of one of them, and one channel enlarged."""

from dataclasses import dataclass

import streamlit as st

from cnnlab.colour_maps import SCALES, Scale
from cnnlab.errors import CnnLabError
from cnnlab.layer_csv import shape_text
from cnnlab.layer_maps import ORDERS, LayerMaps, Order
from cnnlab.networks.batch_norm import NormLayer, norm_kind
from pages.components import (
    channel_table,
    channel_view,
    class_maps,
    class_scores,
    exciting_pictures,
    layer_strip,
    mosaic_view,
    one_value,
    state,
)
from pages.components.colour_bar import number
from pages.components.maps_cache import Pass, maps_of

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
ORDER_TITLES: dict[Order, str] = {
    "index": "As they are",
    "mean": "Largest mean first",
    "variance": "Largest variance first",
}
STRIP_HINT = (
    "In running order, each layer as the mean of its channels: sizes fall, channels pile up."
)
# What tells the components of the network on the right from those on the left.
BESIDE = "_beside"


@dataclass(frozen=True)
class Shown:
    """A layer, and how its channels are shown."""

    layer: str
    scale: Scale
    order: Order


# A fragment: another layer is drawn without running the page. It holds the pass and not the maps,
# which are then kept in one place, where their memory is bounded.
@st.fragment
def show(asked: Pass, beside: Pass | None = None) -> None:
    """The layer that is chosen, its channels and their statistics; `beside` under other weights."""
    try:
        maps = maps_of(asked)
        if not maps:
            st.info("No layer of this network makes maps: none has height and width left.")
            return
        st.caption(STRIP_HINT)
        layer_strip.show(asked)
        shown = choose(list(maps))
        describe(asked, shown.layer, maps[shown.layer])
        channel = one(asked, shown) if beside is None else both(asked, beside, shown)
        value(asked, beside, shown.layer, channel)
        class_maps.show(asked)
        with st.expander("Every channel in numbers", icon=":material/table:"):
            channel_table.show(maps[shown.layer], asked.weights.class_names(shown.layer))
    except CnnLabError as error:
        st.error(str(error), icon=":material/image_not_supported:")


def choose(layers: list[str]) -> Shown:
    """The layer and how it is drawn; for whoever does not point at the strip."""
    wanted = str(state.get("layer", layers[0]))
    if wanted not in layers:
        state.put("layer", nearest(wanted, layers))
    pick, scales, orders = st.columns([2, 1, 1])
    layer = pick.selectbox("Layer", layers, key="layer", bind="query-params")
    scale: Scale = scales.selectbox(
        "Colours",
        SCALES,
        format_func=SCALE_TITLES.__getitem__,
        key="scale",
        bind="query-params",
        help=SCALE_HELP,
    )
    order: Order = orders.selectbox(
        "Channels",
        ORDERS,
        format_func=ORDER_TITLES.__getitem__,
        key="channel_order",
        bind="query-params",
    )
    return Shown(layer, scale, order)


def nearest(wanted: str, layers: list[str]) -> str:
    """Where a network has no such layer: the last of the same block, or the first of all."""
    block = wanted.split(".")[0]
    return next((name for name in reversed(layers) if name.split(".")[0] == block), layers[0])


def one(asked: Pass, shown: Shown) -> int:
    """All channels, and one of them enlarged beside them; which one that is."""
    overview, detail = st.columns([5, 3])
    with overview:
        mosaic_view.show(asked, shown.layer, shown.scale, shown.order)
    with detail:
        channel = channel_view.choose(maps_of(asked)[shown.layer])
        channel_view.show(asked, shown.layer, channel, shown.scale)
        exciting_pictures.show(asked, shown.layer, channel)
    return channel


def both(asked: Pass, beside: Pass, shown: Shown) -> int:
    """The same layer under two weights, the same channel of both enlarged below; which one."""
    here, there = maps_of(asked), maps_of(beside)
    if shown.layer not in there or there.shape(shown.layer)[0] != here.shape(shown.layer)[0]:
        st.info(f"The network beside this one has no layer {shown.layer} with as many channels.")
        return one(asked, shown)
    channel = channel_view.choose(here[shown.layer])
    for column, each, place in zip(st.columns(2), (asked, beside), ("", BESIDE), strict=True):
        with column:
            st.markdown(f"**{each.title}**  \n{class_scores.in_a_line(each)}")
            mosaic_view.show(each, shown.layer, shown.scale, shown.order, place)
            channel_view.show(each, shown.layer, channel, shown.scale, place)
    return channel


def value(asked: Pass, beside: Pass | None, layer: str, channel: int) -> None:
    """The arithmetic of the value that the reader has taken, and what it sees of the picture."""
    if beside is not None and state.get(channel_view.TAKEN_IN) == BESIDE:
        asked = beside
    maps = maps_of(asked).get(layer)
    at = None if maps is None else channel_view.taken(layer, maps)
    if at is None:
        return
    with st.container(border=True, key="value_taken"):
        if beside is not None:
            st.caption(f"Of the two: {asked.title}")
        one_value.show(asked, layer, channel, *at)


def describe(asked: Pass, layer: str, maps: LayerMaps) -> None:
    """The layer in a line, and what a reader may wonder about."""
    found = maps.statistics
    # The mean of the squares, less the square of the mean, over channels of equal size.
    mean = found.mean.mean()
    std = ((found.std**2 + found.mean**2).mean() - mean**2).clamp(min=0).sqrt()
    st.markdown(
        f"**{layer}**: {size(maps)} · "
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


def size(maps: LayerMaps) -> str:
    """How many channels of which size, or the length of a vector."""
    if maps.codes[0].numel() == 1:
        return f"{len(maps.low)} values, each a cell"
    return f"{len(maps.low)} channels of {shape_text(maps.shape[1:], ' × ')}"
