"""The Feature maps view: what each layer makes of the reader's picture."""

from functools import partial

import streamlit as st

from cnnlab import images
from cnnlab.catalog import NetworkSpec, Section
from cnnlab.checkpoints import imagenet
from cnnlab.errors import CnnLabError
from cnnlab.picture_edits import Edits, edited
from pages.components import (
    class_scores,
    configuration,
    layer_view,
    panel,
    picture_choice,
    picture_edit,
    picture_seen,
    weights_choice,
    what_mattered,
)
from pages.components.maps_cache import Pass
from pages.components.picture_choice import Picture
from pages.components.weights_listed import Choice


def show(section: Section, spec: NetworkSpec) -> None:
    """Weights, picture and what the network says on the left, the maps on the right."""
    knobs, outcome, content = panel.three()
    try:
        with knobs:
            chosen = weights_choice.choose(section, spec)
            picture = picture_choice.choose(chosen.weights.dataset)
            other = weights_choice.beside(spec, chosen)
        with outcome:
            above = st.container()
            edits = picture_edit.choose()
            asked = passed(picture, edits, chosen)
            with above:
                colour = partial(use_colour, section, spec)
                picture_seen.show(picture, edits, asked.batch, chosen.weights, colour)
                class_scores.show(asked)
        with content:
            layer_view.show(asked, passed(picture, edits, other) if other else None)
            class_scores.explain(asked)
            what_mattered.show(asked)
    except CnnLabError as error:
        content.error(str(error), icon=":material/image_not_supported:")


def passed(picture: Picture, edits: Edits, chosen: Choice) -> Pass:
    """The picture on its way through the network. Raises: CnnLabError."""
    weights = chosen.weights
    if weights.published:
        # Prepared as these weights were tested: a little more than the square is cut off.
        found = imagenet.published(weights.network, weights.published)
        batch = found.batch(edited(picture.image, edits, found.resize))
        return Pass(weights, batch, chosen.title)
    square = edited(picture.image, edits, weights.image_size)
    batch = images.to_batch(square, weights.image_size, weights.options.in_channels)
    return Pass(weights, batch, chosen.title)


def use_colour(section: Section, spec: NetworkSpec) -> None:
    """Give the network of the knobs three input channels."""
    configuration.change(section, spec, "in_channels", 3)
