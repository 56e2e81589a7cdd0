"""The Feature maps view: what each layer makes of the reader's picture."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from cnnlab import images
from cnnlab.catalog import NetworkSpec, Section
from cnnlab.errors import CnnLabError
from cnnlab.picture_edits import edited
from pages.components import (
    class_scores,
    configuration,
    layer_view,
    panel,
    picture_choice,
    picture_edit,
    picture_seen,
    weights_choice,
)
from pages.components.maps_cache import Pass, Weights
from pages.components.picture_choice import Picture


def show(section: Section, spec: NetworkSpec) -> None:
    """Weights, picture and what the network says on the left, the maps on the right."""
    knobs, outcome, content = panel.three()
    try:
        with knobs:
            weights = weights_choice.choose(section, spec)
            picture = picture_choice.choose(weights.dataset)
        with outcome:
            asked = look(picture, weights, partial(use_colour, section, spec))
        with content:
            layer_view.show(asked)
    except CnnLabError as error:
        content.error(str(error), icon=":material/image_not_supported:")


def look(picture: Picture, weights: Weights, use_colour: Callable[[], None]) -> Pass:
    """What goes in, what the network says, and below it the edits. Raises: CnnLabError."""
    above = st.container()
    edits = picture_edit.choose()
    square = edited(picture.image, edits, weights.image_size)
    asked = Pass(weights, images.to_batch(square, weights.image_size, weights.options.in_channels))
    with above:
        picture_seen.show(picture, edits, asked.batch, weights, use_colour)
        class_scores.show(asked)
    return asked


def use_colour(section: Section, spec: NetworkSpec) -> None:
    """Give the network of the knobs three input channels."""
    configuration.change(section, spec, "in_channels", 3)
