"""The Feature maps view: what each layer makes of the reader's picture."""

import streamlit as st

from cnnlab import images
from cnnlab.catalog import NetworkSpec, Section
from cnnlab.errors import CnnLabError
from pages.components import layer_view, panel, picture_choice, weights_choice
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
                picture_choice.show_seen(picture, batch, weights)
        with content:
            layer_view.show(Pass(weights, batch))
    except CnnLabError as error:
        content.error(str(error), icon=":material/image_not_supported:")
