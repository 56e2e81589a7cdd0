"""The Train view: the run's knobs, Start and Stop, the live curves."""

from functools import partial
from typing import Any

import streamlit as st

from cnnlab import datasets, devices
from cnnlab.catalog import NetworkSpec, Recipe, Section
from cnnlab.datasets.augment import Augment
from cnnlab.errors import CnnLabError
from cnnlab.network_spec import LARGEST_IMAGE, SMALLEST_IMAGE
from cnnlab.runs.store import RunRecord
from cnnlab.training import RunConfig
from pages.components import curves, data_state, knobs, panel, run_time, seeds, state

PREFIX = "t"
# Most runs stop within this time, and the page can say so at once.
STOP_WAIT_S = 0.4
BATCH_SIZES = [8, 16, 32, 64, 128, 256, 512]
TRAIN_SIZES = [500, 1000, 2000, 4000, 8000, 12_000, 30_000, 60_000]


def show(section: Section, spec: NetworkSpec) -> None:
    """Knobs on the left, curves on the right."""
    side, content = panel.columns()
    config = None
    with side:
        try:
            config = configure(section, spec)
        except CnnLabError as error:
            st.error(str(error), icon=":material/tune:")
    with content:
        # Asked once: a run may end between two questions.
        active = curves.active_run(section)
        buttons(section, spec, config, active)
        curves.show(section, active, epochs=config.epochs if config else 1)


def configure(section: Section, spec: NetworkSpec) -> RunConfig:
    """A run as the knobs describe it. Raises: CnnLabError when it cannot work."""
    recipe = spec.quick
    preset_picker(spec, "small")
    first = [*section.main_knobs]
    if "batch_norm" in spec.options.model_fields and "batch_norm" not in first:
        first.append("batch_norm")
    options = knobs.network_knobs(
        spec,
        PREFIX,
        spec.presets["small"].replace(**section.train_knobs),
        first,
        hidden=("in_channels", "num_classes"),
    )
    dataset = st.selectbox(
        "Data set",
        list(datasets.DATASETS),
        format_func=lambda name: datasets.DATASETS[name].title,
        key=f"{PREFIX}.dataset",
        bind="query-params",
    )
    fields = main_fields(spec, recipe)
    with st.expander("More about the run", icon=":material/settings:"):
        fields |= more_fields(spec, recipe, dataset)
    return RunConfig(network=spec.name, options=options, dataset=dataset, **fields)


def preset_picker(spec: NetworkSpec, default: str) -> None:
    """Named sets of knobs; with the network's knobs come the settings of its recipe."""
    knobs.preset_picker(spec, PREFIX, default, partial(apply_recipe, spec))


def apply_recipe(spec: NetworkSpec, preset: str) -> None:
    """Set how the run is done as it suits a set of knobs."""
    recipe = spec.quick if preset == "small" else spec.book
    for name in ("epochs", "lr", "batch_size", "image_size", "momentum", "optimizer", "init"):
        state.put(key(spec, name), getattr(recipe, name))


def use_small(spec: NetworkSpec) -> None:
    """The network and the recipe for which nobody waits long."""
    knobs.use_preset(spec, PREFIX, "small")
    apply_recipe(spec, "small")


def key(spec: NetworkSpec, name: str) -> str:
    return f"{PREFIX}.{spec.name}.{name}"


def main_fields(spec: NetworkSpec, recipe: Recipe) -> dict[str, Any]:
    """The settings that a reader changes most."""
    return {
        "epochs": st.slider(
            "Epochs", 1, 30, recipe.epochs, key=key(spec, "epochs"), bind="query-params"
        ),
        "lr": st.number_input(
            "Learning rate",
            0.0001,
            10.0,
            recipe.lr,
            step=0.01,
            format="%.4f",
            key=key(spec, "lr"),
            bind="query-params",
        ),
        "batch_size": st.select_slider(
            "Batch size",
            BATCH_SIZES,
            recipe.batch_size,
            key=key(spec, "batch_size"),
            bind="query-params",
        ),
    }


def more_fields(spec: NetworkSpec, recipe: Recipe, dataset: str) -> dict[str, Any]:
    """The rest of a run's settings."""
    full = datasets.DATASETS[dataset].train_size
    sizes = [size for size in TRAIN_SIZES if size < full] + [full]
    device_names = ["auto", *(device.name for device in devices.available())]
    fields: dict[str, Any] = {
        "image_size": st.slider(
            "Image size",
            SMALLEST_IMAGE,
            LARGEST_IMAGE,
            recipe.image_size,
            4,
            key=key(spec, "image_size"),
            bind="query-params",
        ),
        "train_size": st.select_slider(
            "Training pictures",
            sizes,
            recipe.train_size or full,
            key=f"{key(spec, 'train_size')}.{dataset}",
        ),
    }
    defaults = {"optimizer": recipe.optimizer, "schedule": "constant", "init": recipe.init}
    for name, default in defaults.items():
        fields[name] = knobs.widget(RunConfig, name, default, key(spec, name))
    fields["momentum"] = st.slider(
        "Momentum", 0.0, 0.99, recipe.momentum, 0.01, key=key(spec, "momentum"), bind="query-params"
    )
    fields["weight_decay"] = st.number_input(
        "Weight decay", 0.0, 0.1, 0.0, 0.0001, format="%.4f", key=key(spec, "weight_decay")
    )
    fields["augment"] = Augment(
        flip=st.toggle("Flip pictures", key=key(spec, "flip"), bind="query-params"),
        crop=st.toggle("Shift pictures", key=key(spec, "crop"), bind="query-params"),
        color=st.toggle("Change colours", key=key(spec, "color"), bind="query-params"),
    )
    fields["seed"] = st.number_input("Seed", 0, 9999, 0, key=key(spec, "seed"), bind="query-params")
    fields["device"] = st.selectbox("Device", device_names, key=key(spec, "device"))
    fields["precision"] = knobs.widget(RunConfig, "precision", "auto", key(spec, "precision"))
    return fields


def buttons(
    section: Section, spec: NetworkSpec, config: RunConfig | None, active: RunRecord | None
) -> None:
    """Start and Stop; a data set that is not there is offered for download instead."""
    if config and not data_state.offer(config.dataset):
        return
    row = st.container(horizontal=True)
    if (
        row.button(
            "Start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=config is None or active is not None,
            key="start",
        )
        and config
    ):
        try:
            seeds.start(config, section.slug)
        except CnnLabError as error:
            st.error(str(error))
        else:
            st.rerun()
    if row.button("Stop", icon=":material/stop:", disabled=active is None, key="stop") and active:
        try:
            seeds.stop(active, STOP_WAIT_S)
        except CnnLabError as error:
            st.error(str(error))
        else:
            st.rerun()
    count = seeds.choice(row)
    if config:
        offer = partial(use_small, spec) if not is_small(spec, config) else None
        run_time.show(config, offer, busy=active is not None)
        seeds.price(config, count)


def is_small(spec: NetworkSpec, config: RunConfig) -> bool:
    """Whether the run is what the small preset would make it, whatever the picture size."""
    preset = str(state.get(key(spec, "preset"), "small"))
    return preset == "small" and config.epochs <= spec.quick.epochs
