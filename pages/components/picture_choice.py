"""The reader's picture: a sample, an upload or a photo."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from PIL import Image
from torch import Tensor

from cnnlab import images
from cnnlab.errors import ImageError
from pages.components.maps_cache import Weights, as_bytes

# Channels that differ by less are noise of a grey picture's compression.
COLOURED = 0.1


@dataclass(frozen=True)
class Picture:
    """A picture, what it shows, and whom it is from."""

    image: Image.Image
    title: str
    credit: str = ""


def choose() -> Picture:
    """The picture that was chosen; the sample stays until there is another."""
    way = st.segmented_control(
        "Picture",
        ["Sample", "Upload", "Photo"],
        default="Sample",
        required=True,
        key="picture_from",
        persist_state="session",
        width="stretch",
    )
    own = None
    if way == "Upload":
        # The browser would answer other kinds of files with a red mark and no word.
        file = st.file_uploader("Your picture", key="upload", help="PNG, JPEG or WebP.")
        own = opened(file.getvalue(), "your picture") if file else None
    elif way == "Photo":
        file = st.camera_input("Your photo", key="camera")
        own = opened(file.getvalue(), "your photo") if file else None
    return own or sample(is_stand_in=way != "Sample")


def opened(raw: bytes, title: str) -> Picture | None:
    """A file as a picture; None and a sentence where it is none."""
    try:
        return Picture(decoded(raw), title)
    except ImageError as error:
        st.error(str(error), icon=":material/image_not_supported:")
        return None


def sample(is_stand_in: bool) -> Picture:
    """One of the pictures that come with the course."""
    samples = {sample.name: sample for sample in images.samples()}
    if is_stand_in:
        st.caption("Until then you see the sample picture.")
    name = st.selectbox(
        "Sample picture",
        list(samples),
        format_func=lambda name: samples[name].title,
        key="sample",
        bind="query-params",
        disabled=is_stand_in,
    )
    chosen = samples[name]
    return Picture(decoded(chosen.path.read_bytes()), chosen.title, chosen.credit)


@st.cache_data(max_entries=16, show_spinner=False)
def decoded(raw: bytes) -> Image.Image:
    return images.decode(raw)


def show_seen(
    picture: Picture, batch: Tensor, weights: Weights, use_colour: Callable[[], None]
) -> None:
    """What reaches the network, and where its colours went. Shape: `batch` (1, C, H, W)."""
    channels, size = batch.shape[1:3]
    pixels = as_bytes(batch)[: 3 if channels == 3 else 1]
    grey = channels != 3 and is_coloured(picture.image)
    seen = f"What the network sees: {size}×{size} pixels"
    st.image(
        pixels.permute(1, 2, 0).squeeze(-1).numpy(),
        width="stretch",
        caption=seen,
        alt=f"{seen} of {picture.title}{', in grey' if channels != 3 else ''}",
    )
    if grey and channels == 1:
        explain_grey(weights, use_colour)
    if picture.credit:
        st.caption(picture.credit)


def is_coloured(image: Image.Image) -> bool:
    colours = images.to_batch(image, 64, 3)
    return bool((colours.amax(1) - colours.amin(1)).max() > COLOURED)


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
