"""The reader's picture: a sample, an upload or a photo."""

from dataclasses import dataclass

import streamlit as st
from PIL import Image
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cnnlab import images
from cnnlab.errors import ImageError
from cnnlab.words import inside
from pages.components import state

# Channels that differ by less are noise of a grey picture's compression.
COLOURED = 0.1
UPLOAD, CAMERA = "upload", "camera"


@dataclass(frozen=True)
class Picture:
    """A picture, what it shows, and whom it is from."""

    image: Image.Image
    title: str
    credit: str = ""


def choose(dataset: str = "") -> Picture:
    """The picture that was chosen; the sample stays until there is another.

    `dataset` is what the weights have learned from, which decides the first sample.
    """
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
        file = st.file_uploader(
            "Your picture", key=UPLOAD, help="PNG, JPEG or WebP.", on_change=forget, args=(UPLOAD,)
        )
        own = kept(UPLOAD, file, "your picture")
    elif way == "Photo":
        file = st.camera_input("Your photo", key=CAMERA, on_change=forget, args=(CAMERA,))
        own = kept(CAMERA, file, "your photo")
    return own or sample(way != "Sample", dataset)


def kept(key: str, file: UploadedFile | None, title: str) -> Picture | None:
    """A file as a picture, also in other views of this tab, where its widget has lost it."""
    if file is not None:
        state.put(f"{key}.kept", opened(file.getvalue(), title))
    picture = state.get(f"{key}.kept")
    if not isinstance(picture, Picture):
        return None
    if file is None:
        st.caption("You see the picture that you chose before. Another one replaces it.")
    return picture


def forget(key: str) -> None:
    """For a callback: the file was taken away, or is another."""
    state.put(f"{key}.kept", None)


def opened(raw: bytes, title: str) -> Picture | None:
    """A file as a picture; None and a sentence where it is none."""
    try:
        return Picture(decoded(raw), title)
    except ImageError as error:
        st.error(str(error), icon=":material/image_not_supported:")
        return None


def sample(is_stand_in: bool, dataset: str) -> Picture:
    """One of the pictures that come with the course, first of all one that the weights know."""
    samples = {sample.name: sample for sample in images.samples()}
    if is_stand_in:
        st.caption("Until then you see the sample picture.")
    name = st.selectbox(
        "Sample picture",
        list(samples),
        # What the address leaves out: the same whether or not something else is chosen.
        index=list(samples).index(first_sample(dataset)),
        format_func=lambda name: f"{samples[name].kind}: {inside(samples[name].title)}",
        key="sample",
        bind="query-params",
        disabled=is_stand_in,
    )
    chosen = samples[name]
    return Picture(decoded(chosen.path.read_bytes()), inside(chosen.title), chosen.credit)


def first_sample(dataset: str) -> str:
    """A test picture of what the weights learned, or else a photograph."""
    samples = images.samples()
    known = (sample.name for sample in samples if sample.dataset == dataset)
    return next(known, next(sample.name for sample in samples if not sample.dataset))


def follow(dataset: str) -> None:
    """For a callback: replace a test picture of other data by one that the new weights know."""
    datasets = {sample.name: sample.dataset for sample in images.samples()}
    chosen = datasets.get(str(state.get("sample")), "")
    if dataset and chosen and chosen != dataset:
        state.put("sample", first_sample(dataset))


@st.cache_data(max_entries=16, show_spinner=False)
def decoded(raw: bytes) -> Image.Image:
    return images.decode(raw)


def is_coloured(image: Image.Image) -> bool:
    colours = images.to_batch(image, 64, 3)
    return bool((colours.amax(1) - colours.amin(1)).max() > COLOURED)
