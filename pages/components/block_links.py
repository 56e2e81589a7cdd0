"""From a block of the diagram to its feature maps."""

from collections.abc import Mapping

import streamlit as st

from cnnlab.features import makes_maps
from cnnlab.trace import Trace
from pages.components import links, state

KEY = "maps_of_block"


def show(last: Mapping[str, str]) -> None:
    """A button for each block, in running order; it opens the maps of the block's last layer."""
    st.pills(
        "See the maps of a block",
        list(last),
        key=KEY,
        on_change=follow,
        args=(last,),
        help="Opens the Feature maps view at the block's last layer.",
    )


def follow(last: Mapping[str, str]) -> None:
    """Open the maps of the block that was pressed."""
    if (block := state.get(KEY)) in last:
        links.look_at(last[str(block)])


def last_layers(found: Trace) -> dict[str, str]:
    """The last layer with maps of every block, by the block's name."""
    last: dict[str, str] = {}
    for name, shape in found.shapes.items():
        if name and len(shape) == 4 and makes_maps(found.outline.get_submodule(name)):
            last[name.split(".")[0]] = name
    return last
