"""The maps of the classes before they are averaged, where a network ends with such maps."""

from collections.abc import Sequence

import streamlit as st

from cnnlab import features, mosaic
from cnnlab.layer_maps import LayerMaps
from pages.components.colour_bar import number
from pages.components.maps_cache import Pass, maps_of
from pages.components.mosaic_view import range_of

IN_A_ROW, TILE_PX = 5, 96
MOST_CLASSES = 10


def show(asked: Pass) -> None:
    """A map for each class with its name and its mean, folded; nothing for other networks."""
    found, maps = layer(asked), maps_of(asked)
    if not found:
        return
    with st.expander("The class maps, before they are averaged", icon=":material/grid_view:"):
        if maps.shape(found)[-1] == 1:
            size = asked.weights.image_size
            st.markdown(
                f"At {size}×{size} pixels each class map is a single value: there is nothing to "
                "average. Choose a larger input size, and they become maps."
            )
            return
        st.markdown(
            f"The last maps of this network, **{found}**, are one for each class. The mean of a "
            "map is the class's logit: bright is where the picture speaks for the class."
        )
        pictures(maps[found], asked.weights.classes)


def pictures(maps: LayerMaps, classes: Sequence[str]) -> None:
    """The maps with the largest means, in rows."""
    names = classes or [f"class {i}" for i in range(len(maps.low))]
    order = maps.statistics.mean.argsort(descending=True).tolist()[:MOST_CLASSES]
    for start in range(0, len(order), IN_A_ROW):
        row = order[start : start + IN_A_ROW]
        for column, channel in zip(st.columns(IN_A_ROW), row, strict=False):
            with column:
                picture(maps, channel, names[channel])


def layer(asked: Pass) -> str:
    """The last layer of class maps before they are averaged; nothing where there is none."""
    trace, maps = asked.weights.trace, maps_of(asked)
    names = features.class_maps(trace, asked.weights.options.num_classes)
    found = [name for name in names if name in maps]
    return next((n for n in reversed(found) if maps.shape(n)[-1] > 1), found[0] if found else "")


def picture(maps: LayerMaps, channel: int, name: str) -> None:
    """The map of a class, with its name and its mean."""
    mean = number(float(maps.statistics.mean[channel]))
    st.image(
        mosaic.mosaic(maps.only(channel), range_of(maps, "auto"), columns=1, tile=TILE_PX),
        width="stretch",
        caption=f"{name}: {mean}",
        alt=f"Map of the class {name}, mean {mean}",
    )
