"""The test pictures of a data set, kept for all visitors, and some of them side by side."""

import base64
import io
from collections.abc import Iterable
from html import escape
from typing import NamedTuple

import streamlit as st
from PIL import Image
from torch import Tensor

from cnnlab import datasets


class TestedOn(NamedTuple):
    """Pictures and labels. Shape: uint8 (N, C, H, W), int64 (N,)."""

    images: Tensor
    labels: Tensor


# The training pictures, six times as many, are let go.
@st.cache_resource(max_entries=4, show_spinner="Reading the test pictures…")
def of(dataset: str) -> TestedOn:
    """All test pictures of a set that is there. Raises: DatasetError."""
    found = datasets.load(dataset)
    return TestedOn(found.test_images.clone(), found.test_labels.clone())


def side_by_side(pictures: Iterable[tuple[Tensor, str]]) -> None:
    """Pictures with what is said below each of them, in one message.

    Shape: uint8 (C, H, W) each.
    """
    figures = "".join(
        f'<figure style="margin:0"><img src="{address(picture)}" alt="{escape(said)}" '
        'style="width:100%;image-rendering:pixelated;border-radius:3px">'
        '<figcaption style="font-size:0.875rem;line-height:1.25;overflow-wrap:anywhere">'
        f"{escape(said)}</figcaption></figure>"
        for picture, said in pictures
    )
    st.html(
        '<div style="display:grid;gap:0.75rem;'
        f'grid-template-columns:repeat(auto-fill,minmax(5.5rem,1fr))">{figures}</div>'
    )


def address(picture: Tensor) -> str:
    """A picture as the address of an image. Shape: uint8 (C, H, W)."""
    pixels = picture.permute(1, 2, 0).squeeze(-1).contiguous().numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=90)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
