"""The maps of the classes before they are averaged, where a network ends with such maps."""

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
    found = layer(asked)
    if not found:
        return
    maps = maps_of(asked)[found]
    names = asked.weights.classes or [f"class {i}" for i in range(len(maps.low))]
    with st.expander("The class maps, before they are averaged", icon=":material/grid_view:"):
        st.markdown(
            f"The last maps of this network, **{found}**, are one for each class. The mean of a "
            "map is the class's logit: bright is where the picture speaks for the class."
        )
        order = maps.statistics.mean.argsort(descending=True).tolist()[:MOST_CLASSES]
        columns = st.columns(IN_A_ROW)
        for place, channel in enumerate(order):
            with columns[place % IN_A_ROW]:
                picture(maps, channel, names[channel])


def layer(asked: Pass) -> str:
    """The last layer of class maps that are larger than a pixel; nothing where there is none."""
    trace, maps = asked.weights.trace, maps_of(asked)
    names = features.class_maps(trace, asked.weights.options.num_classes)
    return next((n for n in reversed(names) if n in maps and maps[n].shape[-1] > 1), "")


def picture(maps: LayerMaps, channel: int, name: str) -> None:
    """The map of a class, with its name and its mean."""
    mean = number(float(maps.statistics.mean[channel]))
    st.image(
        mosaic.mosaic(maps.only(channel), range_of(maps, "auto"), columns=1, tile=TILE_PX),
        width="stretch",
        caption=f"{name}: {mean}",
        alt=f"Map of the class {name}, mean {mean}",
    )
