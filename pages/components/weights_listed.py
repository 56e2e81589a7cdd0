"""The weights that can be chosen: the course's, the published ones, and those of runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from cnnlab import checkpoints
from cnnlab.catalog import NETWORKS, NetworkSpec
from cnnlab.checkpoints import Shipped, imagenet
from cnnlab.checkpoints.imagenet import Published
from cnnlab.datasets import DATASETS
from cnnlab.errors import CnnLabError, WeightsError
from cnnlab.runs.store import RunRecord
from cnnlab.words import inside, words
from pages.components import links, run_names, services, state
from pages.components.maps_cache import Weights


@dataclass(frozen=True)
class Choice:
    """Weights that can be chosen: what the list calls them, and what is known about them."""

    title: str
    about: str
    weights: Weights
    # What has to be downloaded before.
    missing: Published | None = None


def of_course(spec: NetworkSpec) -> dict[str, Choice]:
    """The weights of a network that come with the course, by a name that networks share."""
    try:
        found = checkpoints.shipped(spec.name)
    except WeightsError as error:
        st.warning(str(error), icon=":material/error:")
        return {}
    return {identity(one): shipped_choice(one) for one in found}


def identity(one: Shipped) -> str:
    """What the session calls a checkpoint; on another network the same name is its sibling."""
    return f"{one.preset}-{one.dataset}"


def shipped_choice(one: Shipped) -> Choice:
    """A checkpoint as a choice; whoever reads about it learns how good it is."""
    data, preset = DATASETS[one.dataset], inside(words(one.preset))
    title = f"Trained on {data.title}: {preset}"
    about = (
        f"**Trained on {data.title}**: {one.test_accuracy:.1%} of its test pictures right. "
        f"{NETWORKS[one.network].title}, {preset}, {one.image_size}×{one.image_size} pixels, "
        f"seed {one.seed}, {one.date:%-d %b %Y}."
    )
    weights = Weights(
        one.network, one.options, one.image_size, path=str(one.path), dataset=one.dataset
    )
    return Choice(title, about, weights)


def of_runs(spec: NetworkSpec) -> dict[str, Choice]:
    """The visitor's runs of a network that left weights, by id, the newest first."""
    found = services.store().runs(state.visitor(), network=spec.name)
    runs = {run.id: run for run in found if run.weights}
    names = titles(list(runs.values()))
    return {key: run_choice(run, names[key]) for key, run in runs.items()}


def look_inside(run: RunRecord) -> None:
    """Let the open page show the feature maps with a run's weights; for the callback of a button.

    The address says which, so that a reload shows them again.
    """
    links.look_inside(run)
    for name, text in called(run).items():
        links.note(name, text)


def called(run: RunRecord) -> dict[str, str]:
    """What an address calls a run's weights; nothing if it is not among the visitor's runs."""
    found = of_runs(NETWORKS[run.network]).get(run.id)
    return {links.WEIGHTS: found.title} if found else {}


def address(run: RunRecord) -> dict[str, str]:
    """The query of the address at which a run's page shows the feature maps with its weights."""
    spec = NETWORKS[run.network]
    several = {"network": spec.title} if len(links.page_of(run).networks) > 1 else {}
    return {"view": links.MAPS} | called(run) | several


def run_choice(run: RunRecord, title: str) -> Choice:
    """A run as a choice."""
    accuracy = run.figures.get("test_accuracy")
    good = f": {accuracy:.1%} of its test pictures right" if accuracy is not None else ""
    about = f"**Your run on {DATASETS[run.dataset].title}**{good}. Seed {run.config.seed}."
    weights = Weights(
        run.network,
        run.config.options,
        run.config.image_size,
        path=str(run.weights),
        dataset=run.dataset,
    )
    return Choice(title, about, weights)


def titles(runs: Sequence[RunRecord]) -> dict[str, str]:
    """Name and test accuracy of each run, no two alike: Streamlit tells choices by their words."""
    found = run_names.distinct(runs)
    for run in runs:
        if (accuracy := run.figures.get("test_accuracy")) is not None:
            found[run.id] += f" · {accuracy:.1%}"
    return found


def of_imagenet(spec: NetworkSpec) -> dict[str, Choice]:
    """The weights that torchvision publishes for presets of a network."""
    found = [imagenet.published(network, preset) for network, preset in imagenet.WEIGHTS]
    ours = [one for one in found if one.network == spec.name]
    return {f"imagenet-{one.preset}": published_choice(one) for one in ours}


def published_choice(one: Published) -> Choice:
    """Published weights as a choice, here or not."""
    preset = words(one.preset)
    name = NETWORKS[one.network].title if preset == words("torchvision") else preset
    size = f"{one.size_bytes / 1e6:.0f} MB"
    about = (
        f"**ImageNet weights of {name}**, published by torchvision: {one.test_accuracy:.1%} of "
        f"ImageNet's validation pictures right, of 1,000 classes. {size}."
    )
    weights = Weights(
        one.network,
        one.options,
        one.image_size,
        path=str(one.path),
        published=one.preset,
    )
    return Choice(f"ImageNet: {name}", about, weights, None if one.is_here else one)


def download(one: Published) -> None:
    """Offer the download of published weights, and do it with its progress."""
    size = f"{one.size_bytes / 1e6:.0f} MB"
    if not st.button(f"Download {size}", icon=":material/download:", key="imagenet_download"):
        return
    bar = st.progress(0.0, "Downloading…")

    def progress(done_bytes: int, total_bytes: int | None) -> None:
        bar.progress(min(1.0, done_bytes / (total_bytes or one.size_bytes)), f"of {size}")

    try:
        imagenet.fetch(one, progress)
    except CnnLabError as error:
        bar.empty()
        st.error(str(error), icon=":material/cloud_off:")
        return
    st.rerun()
