"""The Train view: the run's knobs, Start and Stop, the live curves."""

from functools import partial

import streamlit as st
from PIL.Image import Image

from cnnlab.catalog import NetworkSpec, Section
from cnnlab.configuration import RUN_SETTINGS
from cnnlab.errors import CnnLabError
from cnnlab.runs.store import RunRecord
from cnnlab.training import RunConfig
from pages.components import (
    augmented_pictures,
    configuration,
    curves,
    data_state,
    focus,
    follow,
    inside_run,
    knobs,
    panel,
    presets,
    run_time,
    seeds,
    stand_in,
)

# Most runs stop within this time, and the page can say so at once.
STOP_WAIT_S = 0.4
FIRST = ("dataset", "epochs", "lr", "batch_size")
# The data set decides these.
HIDDEN = ("in_channels", "num_classes")


def show(section: Section, spec: NetworkSpec) -> None:
    """Knobs on the left, curves on the right."""
    side, content = panel.columns()
    config = None
    with side:
        draw_knobs(section, spec)
        try:
            config = configuration.current(section, spec).run_config
            augmented_pictures.of_run(config)
        except CnnLabError as error:
            st.error(str(error), icon=":material/tune:")
    with content:
        # Asked once: a run may end between two questions.
        active = curves.active_run(section)
        buttons(section, spec, config, active)
        curves.show(section, spec, config, active)
    focus.settle()


def draw_knobs(section: Section, spec: NetworkSpec) -> None:
    """The knobs of the network and of the run that a run takes."""
    shown = configuration.current(section, spec).trained
    presets.picker(section, spec, trains=True)
    stand_in.show(section, spec)
    knobs.network_knobs(section, shown, (*section.main_knobs, "batch_norm"), HIDDEN)
    knobs.widgets(section, shown, FIRST)
    with st.expander("More about the run", icon=":material/settings:"):
        knobs.widgets(section, shown, (name for name in RUN_SETTINGS if name not in FIRST))


def buttons(
    section: Section, spec: NetworkSpec, config: RunConfig | None, active: RunRecord | None
) -> None:
    """Start and Stop; a data set that is not there is offered for download instead."""
    if config and not data_state.offer(config.dataset):
        return
    row = st.container(horizontal=True)
    is_ready = config is not None and active is None
    started = row.button(
        "Start", type="primary", icon=":material/play_arrow:", disabled=not is_ready, key="start"
    )
    stopped = row.button("Stop", icon=":material/stop:", disabled=active is None, key="stop")
    count = seeds.choice(row)
    inside_run.choice(row)
    picture = follow.choice(row, config.dataset if config else "")
    if started and config:
        begin(section, config, picture)
    if stopped and active:
        end(active)
    if config:
        small = stand_in.is_in_use(section, spec) and config.epochs <= spec.quick.epochs
        offer = None if small else partial(stand_in.choose, section, spec, False)
        run_time.show(config, offer, busy=active is not None)
        seeds.price(config, count)


def begin(section: Section, config: RunConfig, picture: Image | None) -> None:
    """Submit the run, or its seeds, and draw the page anew."""
    try:
        seeds.start(follow.followed_by(inside_run.observed(config), picture), section.slug)
    except CnnLabError as error:
        st.error(str(error))
    else:
        focus.hand_to("stop")
        st.rerun()


def end(active: RunRecord) -> None:
    """Stop the run, with all of its group, and draw the page anew."""
    try:
        seeds.stop(active, STOP_WAIT_S)
    except CnnLabError as error:
        st.error(str(error))
    else:
        focus.hand_to("start")
        st.rerun()
