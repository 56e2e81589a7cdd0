"""The Feature maps view: what each layer makes of the reader's picture."""

from functools import partial

import streamlit as st

from cnnlab import images
from cnnlab.catalog import NetworkSpec, Section
from cnnlab.errors import CnnLabError
from pages.components import configuration, layer_view, panel, picture_choice, weights_choice
from pages.components.maps_cache import Pass


def show(section: Section, spec: NetworkSpec) -> None:
    """Picture and weights on the left, the maps of one layer on the right."""
    side, content = panel.columns()
    try:
        with side:
            picture = picture_choice.choose()
            preview = st.container()
            weights = weights_choice.choose(section, spec)
            channels = weights.options.in_channels
            batch = images.to_batch(picture.image, weights.image_size, channels)
            with preview:
                use_colour = partial(configuration.change, section, spec, "in_channels", 3)
                picture_choice.show_seen(picture, batch, weights, use_colour)
        with content:
            layer_view.show(Pass(weights, batch))
    except CnnLabError as error:
        content.error(str(error), icon=":material/image_not_supported:")
