"""The bench of NiN: a 1×1 convolution and a fully-connected layer at every pixel, side by side."""

import streamlit as st
from PIL import Image, ImageDraw
from torch import Tensor

from cnnlab import images
from cnnlab.colour_maps import Range, colour_range
from cnnlab.errors import CnnLabError
from cnnlab.layer_maps import keep
from cnnlab.mosaic import mosaic
from cnnlab.pointwise import IMAGE_SIZE, IN_CHANNELS, Pointwise, both
from pages.components import colour_bar, picture_choice
from pages.components.maps_cache import as_bytes

# Three of them fit into the column of the text.
TILE_PX = 220
MARK = "#ffffff", "#000000"


@st.fragment
def show() -> None:
    """The reader's picture, what both layers make of it, and the arithmetic of one pixel."""
    with st.container(border=True, key="pointwise_bench"):
        st.markdown(
            "**On the bench:** the first 1×1 convolution of NiN (small, fresh weights) on a "
            "picture. Beside it `nn.Linear` with the same weights: to it every pixel is an example."
        )
        try:
            picture = picture_choice.choose()
            batch = images.to_batch(picture.image, IMAGE_SIZE, IN_CHANNELS)
            found = both(batch)
        except CnnLabError as error:
            st.error(str(error), icon=":material/image_not_supported:")
            return
        channel, row, column = place(found)
        maps(picture, batch, found, (channel, row, column))
        st.markdown(difference(found))
        st.markdown(arithmetic(found, channel, row, column))


def place(found: Pointwise) -> tuple[int, int, int]:
    """The channel, the row and the column that the reader looks at."""
    channels, height, width = found.convolved.shape
    places = st.columns(3)
    return (
        int(places[0].slider("Output channel", 0, channels - 1, 0, key="pointwise.channel")),
        int(places[1].slider("Row", 0, height - 1, height // 2, key="pointwise.row")),
        int(places[2].slider("Column", 0, width - 1, width // 2, key="pointwise.column")),
    )


def maps(
    picture: picture_choice.Picture, batch: Tensor, found: Pointwise, at: tuple[int, int, int]
) -> None:
    """Picture and both results, the chosen pixel marked. Shape: `batch` (1, 3, H, W)."""
    channel, row, column = at
    values = found.convolved[channel]
    colours = colour_range("auto", float(values.min()), float(values.max()))
    with st.container(horizontal=True):
        st.image(
            seen(batch),
            width=TILE_PX,
            caption=f"{picture.title}, {IMAGE_SIZE}×{IMAGE_SIZE}",
            alt=f"{picture.title} as the network takes it",
        )
        for name, result in (
            ("1×1 convolution", found.convolved),
            ("Fully-connected", found.connected),
        ):
            st.image(
                marked(drawn(result[channel], colours), row, column, len(values)),
                width=TILE_PX,
                caption=f"{name}: {float(result[channel, row, column]):.3f}",
                alt=f"{name}: channel {channel}, the pixel in row {row}, column {column} marked",
            )
    colour_bar.show(colours)
    if picture.credit:
        st.caption(picture.credit)


def seen(batch: Tensor) -> Image.Image:
    """The picture in the size of the maps. Shape: (1, 3, H, W)."""
    small = Image.fromarray(as_bytes(batch).permute(1, 2, 0).numpy())
    return small.resize((TILE_PX, TILE_PX), Image.Resampling.NEAREST)


def drawn(values: Tensor, colours: Range) -> Image.Image:
    """One channel in colours. Shape: (H, W)."""
    return mosaic(keep(values[None]), colours, columns=1, tile=TILE_PX).convert("RGB")


def marked(picture: Image.Image, row: int, column: int, side: int) -> Image.Image:
    """A frame about one pixel of a map, to be seen on every colour."""
    pixel = TILE_PX / side
    left, top = column * pixel, row * pixel
    draw = ImageDraw.Draw(picture)
    for beyond, colour in zip((3, 1), MARK, strict=True):
        edges = (left - beyond, top - beyond, left + pixel + beyond - 1, top + pixel + beyond - 1)
        draw.rectangle(edges, outline=colour, width=2)
    return picture


def difference(found: Pointwise) -> str:
    """How far the two are apart anywhere, and why."""
    channels, height, width = found.convolved.shape
    largest = found.largest_difference
    count = f"{channels} × {height} × {width} = {found.convolved.numel():,} values"
    if not largest:
        return (
            f"**Largest difference over all {count}: 0.** On this machine PyTorch adds up both in "
            "the same order; elsewhere the last digit may differ."
        )
    highest = float(found.convolved.abs().max())
    return (
        f"**Largest difference over all {count}: {largest:.1e}**, where values reach "
        f"{highest:.2f}. It is rounding: numbers of 32 bits have seven digits, and the two add up "
        "in different order."
    )


def arithmetic(found: Pointwise, channel: int, row: int, column: int) -> str:
    """The sum at one pixel with all of its numbers; inputs that are zero add nothing."""
    inputs, weights = found.maps[:, row, column], found.weight[channel]
    terms = [
        f"{bracketed(float(weights[i]))} · {float(inputs[i]):.3f}"
        for i in inputs.nonzero().flatten().tolist()
    ]
    zeros = len(inputs) - len(terms)
    without = f", of which ReLU has set {zeros} to zero" if zeros else ""
    bias = float(found.bias[channel])
    total = float(found.products(channel, row, column).double().sum()) + bias
    return (
        f"The marked pixel (row {row}, column {column}) has {len(inputs)} inputs{without}. Channel "
        f"{channel} gives each its weight, and adds its bias:  \n"
        f"{' + '.join([*terms, bracketed(bias)])} = **{total:.3f}**.  \n"
        "No other pixel takes part, and the weights are the same at all of them."
    )


def bracketed(value: float) -> str:
    """A number inside a sum, in brackets where it is negative."""
    return f"({value:.3f})" if value < 0 else f"{value:.3f}"
