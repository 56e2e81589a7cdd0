"""The quick stand-in that Train takes for the network, and the sizes of both."""

from dataclasses import replace

import streamlit as st

from cnnlab.catalog import NetworkSpec, Section
from cnnlab.configuration import SMALL, Configuration
from cnnlab.errors import CnnLabError
from cnnlab.summary import layers
from cnnlab.trace import trace_of
from cnnlab.words import inside, words
from pages.components import configuration
from pages.components.magnitudes import engineering


def show(section: Section, spec: NetworkSpec) -> None:
    """A line that says so where a run takes the stand-in, with the way to the real one."""
    chosen = configuration.current(section, spec)
    if chosen.trained.preset == chosen.preset:
        return
    place = st.container(key="stand_in")
    place.caption(
        f":material/compress: Trains a quick stand-in{sizes(chosen)}",
        help="Knobs that you change hold for both. The whole network takes long on a slow machine.",
    )
    place.button(
        f"Train exactly {exactly(chosen)}",
        key="exact",
        on_click=choose,
        args=(section, spec, True),
        help="The network of the Architecture view, with all that its preset sets: data set, "
        "input size, learning rate and the rest.",
    )


def exactly(chosen: Configuration) -> str:
    """The network that the other views show, in a few words."""
    name = inside(words(chosen.preset))
    return f"{name}, changed" if chosen.changed else name


def choose(section: Section, spec: NetworkSpec, exact: bool) -> None:
    """Train the network itself, or the stand-in with its own recipe."""
    before = configuration.current(section, spec)
    knobs = {k: v for k, v in before.changes.items() if k in spec.options.model_fields}
    changes = before.changes if exact else {**knobs, **before.own}
    configuration.keep(section, replace(before, changes=changes, exact=exact))


def is_in_use(section: Section, spec: NetworkSpec) -> bool:
    """Whether a run takes the small preset."""
    return configuration.current(section, spec).trained.preset == SMALL


def sizes(chosen: Configuration) -> str:
    """How large the stand-in and the network are; nothing where one of them cannot be built."""
    try:
        run = chosen.run_config
        small = layers(trace_of(chosen.spec, run.options, run.image_size))
        # As Architecture counts it, which has it traced.
        whole = layers(trace_of(chosen.spec, chosen.options, chosen.image_size))
    except CnnLabError:
        return "."
    return (
        f": {engineering(small.params)} parameters instead of {engineering(whole.params)}, "
        f"{engineering(small.macs)} multiply-accumulates instead of {engineering(whole.macs)}."
    )
