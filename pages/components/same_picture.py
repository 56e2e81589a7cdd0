"""One picture through all networks that come trained, side by side, size by size."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from cnnlab import checkpoints
from cnnlab.catalog import NETWORKS
from cnnlab.compare import pictures
from cnnlab.datasets import DATASETS
from cnnlab.errors import CnnLabError
from cnnlab.layer_csv import shape_text
from cnnlab.picture_edits import Edits
from pages.components import class_scores, feature_maps, maps_cache, picture_choice, weights_listed
from pages.components.maps_cache import Pass, maps_of

SIZES = ("Full size", "Half", "A quarter", "An eighth", "1/16", "1/32")


def show(dataset: str) -> None:
    """Folded: a picture of the reader's choice, and what each network makes of it."""
    place = st.expander(
        "The same picture through all of them",
        icon=":material/filter:",
        key="same.open",
        on_change="rerun",
    )
    # Seven networks are not run for those who do not look.
    if not place.open:
        return
    with place:
        try:
            chosen(dataset)
        except CnnLabError as error:
            st.error(str(error), icon=":material/error:")


def chosen(dataset: str) -> None:
    """The picture, and the networks that have learned from this data set."""
    networks = trained(dataset)
    if not networks:
        st.info(
            f"No network that comes with the course has learned from {DATASETS[dataset].title}. "
            "Choose another data set above."
        )
        return
    side, _ = st.columns([1, 2])
    with side:
        picture = picture_choice.choose(dataset)
    asked = [feature_maps.passed(picture, Edits(), choice) for choice in networks]
    st.caption(
        "Each row is one size of the picture, from whole to the smallest; each cell has the four "
        "channels that vary most in the network's last layer of that size. Deep networks have "
        "many layers at each size, shallow ones one. An empty cell: the network skips that size."
    )
    key = "same picture", tuple(one.key for one in asked)
    st.html(maps_cache.drawn(key, lambda: table(asked)).decode())


def trained(dataset: str) -> list[weights_listed.Choice]:
    """The small networks that come with weights for a data set, in the chapter's order."""
    found = {
        one.network: one
        for one in checkpoints.shipped()
        if one.dataset == dataset and one.preset == "small"
    }
    return [weights_listed.shipped_choice(found[name]) for name in NETWORKS if name in found]


def table(asked: Sequence[Pass]) -> bytes:
    """A column for each network, a row for each size, as HTML."""
    layers = [pictures.by_size(one.weights.image_size, maps_of(one)) for one in asked]
    rows = range(max(max(found) for found in layers) + 1)
    head = "".join(f'<th scope="col">{heading(one)}</th>' for one in asked)
    body = "".join(
        f'<tr><th scope="row">{SIZES[min(row, len(SIZES) - 1)]}</th>'
        + "".join(
            f"<td>{cell(one, found, row)}</td>" for one, found in zip(asked, layers, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        '<div tabindex="0" role="region" aria-label="One picture through all networks" '
        'style="overflow-x:auto;font-size:0.875rem">'
        '<table style="border-spacing:10px 6px;text-align:left">'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    ).encode()


def heading(asked: Pass) -> str:
    """The network, and what it says the picture is."""
    title = NETWORKS[asked.weights.network].title
    says = class_scores.in_a_line(asked).replace("**", "")
    return f'{escape(title)}<br><span style="font-weight:400">{escape(says)}</span>'


def cell(asked: Pass, layers: Mapping[int, str], row: int) -> str:
    """The maps of a network at one size, with the layer that made them; nothing without one."""
    name = layers.get(row)
    if name is None:
        return ""
    maps = maps_of(asked)[name]
    shape = shape_text(maps.shape, " × ")
    network = NETWORKS[asked.weights.network].title
    words = escape(f"{network}, {name}, {shape}: the four channels that vary most")
    source = base64.b64encode(pictures.drawn(maps)).decode()
    return (
        f'<img src="data:image/png;base64,{source}" alt="{words}" '
        f'style="display:block;border-radius:4px"><span>{escape(name)}</span><br>'
        f'<span style="opacity:0.75">{shape}</span>'
    )
