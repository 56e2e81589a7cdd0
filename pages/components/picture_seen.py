"""The picture as it was, and beside it what reaches the network."""

from collections.abc import Callable

import numpy as np
import streamlit as st
from PIL import Image
from torch import Tensor

from cnnlab.picture_edits import Edits, edited
from pages.components import picture_edit
from pages.components.maps_cache import Weights, as_bytes
from pages.components.picture_choice import Picture, is_coloured

# Small pictures are enlarged pixel by pixel: a browser would smooth them.
SHOWN_PX = 256
# Two of them are as wide as the column.
BESIDE_PX = 126


def show(
    picture: Picture, edits: Edits, batch: Tensor, weights: Weights, use_colour: Callable[[], None]
) -> None:
    """Both pictures, and where the colours went. Shape: `batch` (1, C, H, W)."""
    channels, size = batch.shape[1:3]
    pixels = as_bytes(batch)[: 3 if channels == 3 else 1]
    seen = Image.fromarray(pixels.permute(1, 2, 0).squeeze(-1).numpy())
    grey = ", in grey" if channels != 3 else ""
    # Side by side also on a phone, where columns would stack.
    row = st.container(horizontal=True, gap="small")
    # The whole square in the data's own pixels, as far as the screen has them.
    whole = edited(picture.image, Edits(), min(SHOWN_PX, *picture.image.size))
    row.image(
        enlarged(whole), width=BESIDE_PX, caption="Original", alt=f"Original: {picture.title}"
    )
    says = f"What the network sees: {size}×{size} pixels"
    row.image(
        enlarged(seen),
        width=BESIDE_PX,
        caption=f"Network: {size}×{size}",
        alt=f"{says} of {picture.title}{grey}{picture_edit.says(edits)}",
    )
    st.caption(line(picture, batch, edits))
    if channels == 1 and is_coloured(picture.image):
        explain_grey(weights, use_colour)


def line(picture: Picture, batch: Tensor, edits: Edits) -> str:
    """What the numbers are that go in, what was done, and whom the picture is from."""
    low, high, mean = float(batch.min()), float(batch.max()), float(batch.mean())
    numbers = f"Numbers from {low:.2f} to {high:.2f}, mean {mean:.2f}"
    credit = f" · {picture.credit}" if picture.credit else ""
    return f"{numbers}{picture_edit.says(edits)}{credit}"


def enlarged(picture: Image.Image) -> np.ndarray:
    """The picture with whole pixels as squares, at about the size at which it is drawn."""
    times = max(1, SHOWN_PX // picture.width)
    return np.asarray(picture.resize((picture.width * times,) * 2, Image.Resampling.NEAREST))


def explain_grey(weights: Weights, use_colour: Callable[[], None]) -> None:
    """Why a colour picture is grey here, and what the reader can do."""
    if weights.path:
        st.caption("Made grey: these weights were learned with one input channel.")
        return
    st.caption("Made grey: this network has one input channel.")
    st.button(
        "Use three input channels",
        key="use_colour",
        icon=":material/palette:",
        on_click=use_colour,
    )
