"""Whose weights the network has: trained ones, fresh ones, or those of a run."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from cnnlab import checkpoints
from cnnlab.catalog import NETWORKS, NetworkSpec, Section
from cnnlab.configuration import SMALL
from cnnlab.datasets import DATASETS
from cnnlab.errors import WeightsError
from cnnlab.network_spec import LARGEST_IMAGE
from cnnlab.trace import trace_of
from pages.components import configuration, network_choice, picture_choice, state, weights_listed
from pages.components.links import FRESH, FRESH_TITLE, WEIGHTS
from pages.components.maps_cache import Weights
from pages.components.markdown import escaped
from pages.components.weights_listed import Choice

SEED, SIZE = "weights_seed", "trained_size"
# Whose pictures a new visitor knows best.
FIRST_DATASET = "fashion_mnist"
NOTHING, BESIDE = "nothing", "weights_beside"


def choose(section: Section, spec: NetworkSpec) -> Choice:
    """The network with its weights. Raises: ConfigError where the knobs do not go together."""
    ours, runs = weights_listed.of_course(spec), weights_listed.of_runs(spec)
    published = weights_listed.of_imagenet(spec)
    trained = ours | published | runs
    # The last run stands on top, where a reader looks for it; older ones come last.
    names = {key: runs[key].title for key in list(runs)[:1]}
    names |= {key: one.title for key, one in ours.items()} | {FRESH: FRESH_TITLE}
    names |= {key: one.title for key, one in (published | runs).items()}
    first = default(section, spec)
    # Streamlit takes what it does not know out of the address without a word.
    asked = st.query_params.get(WEIGHTS)
    if asked and asked not in names.values():
        st.warning(
            f"“{escaped(asked[:40])}” is not among the weights of this network, nor among your "
            "runs.",
            icon=":material/link_off:",
        )
    first = first if first in names else FRESH
    if state.get(WEIGHTS, first) not in names:
        # Another network was chosen, which has no such weights.
        state.put(WEIGHTS, first)
    key = st.selectbox(
        "Weights",
        list(names),
        # What the address leaves out: the same whether or not something else is chosen.
        index=list(names).index(first),
        format_func=names.__getitem__,
        key=WEIGHTS,
        bind="query-params",
        on_change=follow,
        args=({key: one.weights.dataset for key, one in trained.items()},),
        help="Trained weights come with the course; those of your own runs join them. Fresh "
        "weights are random: choose them to see what training changed.",
    )
    one_click_apart(key, ours, runs, first)
    if key not in trained:
        return fresh(section, spec)
    chosen = trained[key]
    st.caption(f":material/school: {chosen.about}")
    if chosen.missing is None:
        return at_size(chosen)
    weights_listed.download(chosen.missing)
    if not ours:
        return fresh(section, spec)
    instead = ours[first if first in ours else next(iter(ours))]
    st.caption(f"Until then you see: {instead.title}.")
    return instead


def at_size(chosen: Choice) -> Choice:
    """Trained weights at a larger picture, where they take pictures of every size."""
    weights = chosen.weights
    if weights.published or weights.as_shared.image_size:
        return chosen
    sizes = [n * weights.image_size for n in (1, 2, 3) if n * weights.image_size <= LARGEST_IMAGE]
    if state.get(SIZE, sizes[0]) not in sizes:
        state.put(SIZE, sizes[0])
    size = st.select_slider(
        "Input size",
        sizes,
        format_func=lambda size: f"{size}×{size}",
        key=SIZE,
        bind="query-params",
        help="The same weights look at a larger picture: nothing in this network is made for one "
        "size. It has learned from the smallest of these.",
    )
    return replace(chosen, weights=replace(weights, image_size=size))


def fresh(section: Section, spec: NetworkSpec) -> Choice:
    """Random weights for the network that the knobs describe. Raises: ConfigError."""
    st.caption(":material/casino: Random weights: this network has learned nothing.")
    with st.expander("The network", icon=":material/tune:"):
        # Whole numbers as decimals: of an address that says "inf", Streamlit 1.67 makes an error
        # where it has to make an integer, and takes the default where it does not.
        bounds, step = (0.0, 9999.0, 0.0), 1.0
        chosen = st.number_input(
            "Seed of the weights", *bounds, step, "%.0f", key=SEED, bind="query-params"
        )
        seed = round(chosen)
        configured = network_choice.choose(section, spec)
    trace_of(NETWORKS[spec.name], configured.options, configured.image_size)
    weights = Weights(spec.name, configured.options, configured.image_size, seed)
    return Choice(FRESH_TITLE, "", weights)


def one_click_apart(
    key: str, ours: Mapping[str, Choice], runs: Mapping[str, Choice], first: str
) -> None:
    """Buttons for the other kinds of weights: trained ones, fresh ones, the reader's last run."""
    trained = [first] if first in ours else list(ours)[-1:]
    kinds = {"Trained": trained, "Fresh": [FRESH], "My last run": list(runs)[:1]}
    row = st.container(horizontal=True, gap="small")
    for title, found in kinds.items():
        if found and key not in (ours if title == "Trained" else found):
            there = ours.get(found[0]) or runs.get(found[0])
            row.button(
                title,
                key=f"weights.{title}",
                icon=":material/swap_horiz:",
                type="tertiary",
                on_click=take,
                args=(found[0], there.weights.dataset if there else ""),
            )


def take(key: str, dataset: str) -> None:
    """For a callback: choose these weights, and a picture of what they have learned from."""
    state.put(WEIGHTS, key)
    picture_choice.follow(dataset)


def follow(datasets: Mapping[str, str]) -> None:
    """For a callback: no picture of other data than the weights have learned from."""
    picture_choice.follow(datasets.get(str(state.get(WEIGHTS)), ""))


def default(section: Section, spec: NetworkSpec) -> str:
    """What the view opens with: trained weights, unless the reader has set other knobs."""
    chosen, begun = configuration.current(section, spec), configuration.start(section, spec)
    as_begun = chosen.options == begun.options and chosen.image_size == begun.image_size
    try:
        exact = [checkpoints.find(spec.name, chosen.options, dataset) for dataset in DATASETS]
        ours = [one for one in (checkpoints.shipped(spec.name) if as_begun else exact) if one]
    except WeightsError:
        return FRESH  # `of_course` says why
    ours.sort(key=lambda one: (one.dataset != FIRST_DATASET, one not in exact, one.preset != SMALL))
    return weights_listed.identity(ours[0]) if ours else FRESH


def beside(spec: NetworkSpec, chosen: Choice) -> Choice | None:
    """Other weights to hold the chosen ones against, if any."""
    found = weights_listed.of_course(spec) | weights_listed.of_runs(spec)
    trained = {key: one for key, one in found.items() if one.title != chosen.title}
    names = {NOTHING: "Nothing"}
    if chosen.weights.path and not chosen.weights.published:
        names[FRESH] = "The same network, fresh"
    names |= {key: one.title for key, one in trained.items()}
    if state.get(BESIDE, NOTHING) not in names:
        state.put(BESIDE, NOTHING)
    key = st.selectbox(
        "Side by side with",
        list(names),
        format_func=names.__getitem__,
        key=BESIDE,
        bind="query-params",
        help="The same layer under two weights: before and after training, or after two of them.",
    )
    if key == FRESH:
        plain = chosen.weights
        return Choice(names[FRESH], "", Weights(plain.network, plain.options, plain.image_size))
    return trained.get(key)
