"""The test pictures that excite a channel most, folded away until a reader opens it."""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import streamlit as st
from torch import Tensor
from torch.nn.functional import interpolate

from cnnlab import datasets
from cnnlab.catalog import NETWORKS
from cnnlab.datasets import DATASETS
from cnnlab.errors import CnnLabError
from cnnlab.explain import exciting
from cnnlab.explain.exciting import Exciting
from cnnlab.explain.overlay import FOR
from cnnlab.explain.receptive import Place, node_of, reaches_of
from pages.components.byte_cache import ByteCache
from pages.components.colour_bar import number
from pages.components.maps_cache import Pass, Weights, model_of
from pages.components.turns import A_WHILE_S, own_turn

KEPT_BYTES = 32 * 2**20
TILE_PX, GAP_PX, COLUMNS, FRAME_PX = 96, 4, 3, 2


class Edges(NamedTuple):
    """A part of a picture, as shares of its side."""

    top: float
    bottom: float
    left: float
    right: float


@dataclass(frozen=True)
class Asked:
    """The channels of a layer under some weights, on the pictures of a data set."""

    weights: Weights
    layer: str
    dataset: str


@st.fragment
def show(asked: Pass, layer: str, channel: int) -> None:
    """Nine pictures as one, the strongest first, and what they show."""
    folded = st.expander(
        "Which pictures excite it most",
        icon=":material/bolt:",
        key="exciting.open",
        on_change="rerun",
    )
    # Up to 500 pictures go through the network.
    if not folded.open:
        return
    with folded:
        try:
            nine(asked.weights, layer, channel)
        except CnnLabError as error:
            st.error(str(error), icon=":material/block:")


def nine(weights: Weights, layer: str, channel: int) -> None:
    """The pictures of a channel. Raises: CnnLabError."""
    if len(weights.trace.shapes[layer]) != 4:
        st.info("Its values have no place in the picture. Choose a layer that makes maps.")
        return
    dataset = suitable(weights)
    if dataset is None:
        st.info(
            f"There are no test pictures here with {weights.options.in_channels} channels. Choose "
            "weights that were trained on a data set of this machine."
        )
        return
    with st.spinner("The test pictures go through the network …", show_time=True):
        found = exciting_of(Asked(weights, layer, dataset))
    images, labels = test_pictures(dataset)
    best = found.pictures[channel].tolist()
    values = [float(value) for value in found.values[channel]]
    if values[0] == values[-1]:
        st.info(f"Channel {channel} gives {number(values[0])} for all of them: nothing excites it.")
        return
    names = [DATASETS[dataset].class_names[int(labels[i])] for i in best]
    common = ", ".join(f"{count} × {name}" for name, count in Counter(names).most_common())
    says = f"The {len(best)} of {found.seen} test pictures that excite channel {channel} of {layer}"
    st.image(
        tiled(images[best], seen(weights, layer, channel, found.places[channel].tolist())),
        width="stretch",
        caption=f"{common}; from {number(values[0])} down to {number(values[-1])}",
        alt=f"{says}: {', '.join(names)}",
    )
    st.caption(
        f"{says} most: those in which its strongest value is largest. The frame is what that value "
        "sees."
    )


def suitable(weights: Weights) -> str | None:
    """The data set that was learned from; for fresh weights one with as many channels."""
    if weights.dataset:
        return weights.dataset if datasets.state(weights.dataset).status == "ready" else None
    fitting = (
        name
        for name, spec in DATASETS.items()
        if spec.channels == weights.options.in_channels and datasets.state(name).status == "ready"
    )
    return next(fitting, None)


def exciting_of(asked: Asked) -> Exciting:
    """What excites the channels of a layer; the last layers are kept. Raises: CnnLabError."""
    weights = asked.weights

    def look() -> Exciting:
        count = exciting.affordable_pictures(weights.trace)
        images = test_pictures(asked.dataset)[0][:count]
        return exciting.most_exciting(model_of(weights), asked.layer, images, weights.image_size)

    return kept().get(asked, look, A_WHILE_S)


@st.cache_resource(show_spinner=False)
def kept() -> ByteCache[Exciting]:
    return ByteCache(KEPT_BYTES, lambda found: found.nbytes, own_turn)


@st.cache_resource(max_entries=len(DATASETS), show_spinner=False)
def test_pictures(dataset: str) -> tuple[Tensor, Tensor]:
    """The first test pictures of a set, and their classes. Shape: (N, C, H, W), (N,)."""
    found = datasets.load(dataset)
    most = exciting.MOST_PICTURES
    # Copies, so that the whole set is not kept with them.
    return found.test_images[:most].clone(), found.test_labels[:most].clone()


def seen(weights: Weights, layer: str, channel: int, places: list[list[int]]) -> list[Edges]:
    """The edges of what a value sees, for values of one channel. Units: tiles' sides."""
    found = reaches_of(NETWORKS[weights.network], weights.options, weights.image_size)
    node = node_of(found.found, layer)
    rectangles = [found.rectangle(node, Place(channel, *place)) for place in places]
    # A value that reads nothing but padding has an empty frame.
    sides = [
        (r.top, r.top + r.height, r.left, r.left + r.width) if r else (0,) * 4 for r in rectangles
    ]
    return [Edges(*(side / weights.image_size for side in four)) for four in sides]


def tiled(images: Tensor, frames: list[Edges]) -> npt.NDArray[np.uint8]:
    """Pictures in rows, in each a frame. Shape: uint8 (N, C, H, W) -> (height, width, 3)."""
    side = TILE_PX + GAP_PX
    rows = -(-len(images) // COLUMNS)
    canvas = np.full((rows * side - GAP_PX, COLUMNS * side - GAP_PX, 3), 128, np.uint8)
    tiles = interpolate(images, (TILE_PX, TILE_PX), mode="nearest")
    for i, (tile, frame) in enumerate(zip(tiles, frames, strict=True)):
        top, left = i // COLUMNS * side, i % COLUMNS * side
        place = canvas[top : top + TILE_PX, left : left + TILE_PX]
        place[:] = tile.permute(1, 2, 0).numpy()
        draw_frame(place, frame)
    return canvas


def draw_frame(tile: npt.NDArray[np.uint8], frame: Edges) -> None:
    """A line inside the edges. Shape: (side, side, 3)."""
    top, bottom, left, right = (round(edge * len(tile)) for edge in frame)
    inside = tile[top:bottom, left:right]
    kept = inside[FRAME_PX:-FRAME_PX, FRAME_PX:-FRAME_PX].copy()
    inside[:] = FOR
    inside[FRAME_PX:-FRAME_PX, FRAME_PX:-FRAME_PX] = kept
