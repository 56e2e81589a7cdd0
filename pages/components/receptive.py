"""What one value of a layer sees of the picture: its rectangle, and which pixels count in it."""

import streamlit as st
from PIL import Image, ImageDraw
from torch import Tensor

from cnnlab import pass_price
from cnnlab.catalog import NETWORKS
from cnnlab.colour_maps import SEQUENTIAL, Range
from cnnlab.errors import CnnLabError
from cnnlab.explain.effective import effective_field, strongest
from cnnlab.explain.receptive import Place, Reaches, Rectangle, is_local, reaches_of
from cnnlab.layer_maps import keep
from cnnlab.mosaic import mosaic
from cnnlab.trace import Trace
from pages.components.byte_cache import ByteCache
from pages.components.maps_cache import Pass, as_bytes, model_of
from pages.components.turns import own_turn

SIDE_PX = 320
MARK = "#ffffff", "#000000"
FIELDS_BYTES = 16 * 2**20
# The time of a gradient, in passes.
FORWARD_AND_BACK = 3
# Beyond this many multiplications the reader asks for it.
AT_ONCE_MACS = 5 * 10**8
MOST_MACS = 20 * 10**9
HALF = 0.5
EXPLAINED = (
    "The rectangle holds every pixel that the value can depend on. How much each of them counts is "
    "the size of the value's gradient by it, the *effective* receptive field: pixels in the middle "
    "are read on more ways than those at the border. Another picture or other weights change it; "
    "the rectangle stays."
)


@st.fragment
def show(asked: Pass, node: int, place: Place) -> None:
    """The picture with the rectangle of one value, and the effective receptive field beside it.

    `node` counts in the trace of the network, as for the value's arithmetic.
    """
    weights = asked.weights
    spec = NETWORKS[weights.network]
    try:
        found = reaches_of(spec, weights.options, asked.batch.shape[2])
        seen = found.rectangle(node, place)
    except CnnLabError as error:
        st.error(str(error), icon=":material/image_not_supported:")
        return
    st.markdown(said(found, node, seen))
    left, right = st.columns(2)
    left.image(
        framed(enlarged(asked.batch), seen, asked.batch.shape[2:]),
        width="stretch",
        caption="What it can see",
        alt=f"The picture as the network takes it. {frame_words(seen)}",
    )
    with right:
        effective(asked, found.found, node, place, seen)
    st.caption(EXPLAINED)


def said(found: Reaches, node: int, seen: Rectangle | None) -> str:
    """The rectangle in words, and how much of the full receptive field the picture's edge cut."""
    if seen is None:
        return "This value reads nothing but padding: it sees **no pixel** of the picture."
    height, width = found.found.nodes[0].output_shape[2:]
    share = seen.height * seen.width / (height * width)
    text = (
        f"This value sees **{seen.height} × {seen.width} pixels**, {share:.0%} of the picture: "
        f"rows {seen.top} to {seen.top + seen.height - 1}, columns {seen.left} to "
        f"{seen.left + seen.width - 1}."
    )
    full = found.found.nodes[node].receptive_field
    if full > max(seen.height, seen.width) and is_local(found.found, node):
        # Of channels that are put together, some see less.
        text += (
            f" In the middle of a larger picture, values of this layer see up to {full} × {full}."
        )
    return text


def frame_words(seen: Rectangle | None) -> str:
    if seen is None:
        return "Nothing of it is seen."
    return (
        f"A frame about {seen.height} rows from row {seen.top}, and {seen.width} columns from "
        f"column {seen.left}."
    )


def effective(asked: Pass, found: Trace, node: int, place: Place, seen: Rectangle | None) -> None:
    """The gradient's size at every pixel; a costly one only when it is asked for."""
    macs = sum(n.macs for n in found.nodes[: node + 1])
    if macs > MOST_MACS:
        st.info("The effective receptive field of this value would take too long here.")
        return
    cache, key = fields(), (asked.key, node, place)
    if macs > AT_ONCE_MACS and key not in cache:
        asked_for = st.button(
            "Show which pixels count",
            key=f"effective_field.{node}.{place.channel}.{place.row}.{place.column}",
            help="A forward and a backward pass through the whole network: some seconds.",
        )
        if not asked_for:
            return
    field = cache.get(
        key,
        lambda: effective_field(model_of(asked.weights), asked.batch, node, place),
        FORWARD_AND_BACK * pass_price.expected_s(found),
    )
    few, total = strongest(field, HALF), int((field > 0).sum())
    if not few:
        st.info(
            "No pixel counts: this value does not change with the picture here. Behind ReLU that "
            "is so of every zero."
        )
        return
    words = f"Half of all effect comes from {few:,} of {total:,} pixels"
    drawn = mosaic(keep(field[None]), Range(SEQUENTIAL, 0.0, float(field.max())), 1, SIDE_PX)
    st.image(
        framed(drawn.convert("RGB"), seen, field.shape),
        width="stretch",
        caption=words,
        alt=f"Effective receptive field: bright pixels change the value most. {words}.",
    )


@st.cache_resource(show_spinner=False)
def fields() -> ByteCache[Tensor]:
    """The effective receptive fields that were asked for last; one is computed at a time."""
    return ByteCache(FIELDS_BYTES, lambda field: field.numel() * field.element_size(), own_turn)


def enlarged(batch: Tensor) -> Image.Image:
    """The picture in large pixels. Shape: (1, C, H, W)."""
    values = as_bytes(batch).permute(1, 2, 0)
    # More than three channels: the first stands for all.
    small = Image.fromarray((values if values.shape[2] == 3 else values[..., 0]).numpy())
    return small.convert("RGB").resize((SIDE_PX, SIDE_PX), Image.Resampling.NEAREST)


def framed(picture: Image.Image, seen: Rectangle | None, shape: tuple[int, ...]) -> Image.Image:
    """The picture with a frame that is to be seen on every colour. Shape: `shape` (H, W)."""
    if seen is None:
        return picture
    down, across = SIDE_PX / shape[0], SIDE_PX / shape[1]
    top, left = seen.top * down, seen.left * across
    bottom, right = top + seen.height * down - 1, left + seen.width * across - 1
    draw = ImageDraw.Draw(picture)
    draw.rectangle((left, top, right, bottom), outline=MARK[0], width=4)
    draw.rectangle((left + 1, top + 1, right - 1, bottom - 1), outline=MARK[1], width=1)
    return picture
