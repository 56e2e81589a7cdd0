"""What mattered: where the picture speaks for a class, and whether the map depends on learning."""

from collections import Counter
from dataclasses import dataclass, replace

import streamlit as st
from torch import Tensor

from cnnlab.errors import CnnLabError
from cnnlab.explain import attribution
from cnnlab.explain.attribution import METHODS, Attribution, Method
from cnnlab.explain.overlay import overlay, strongest
from pages.components import state
from pages.components.byte_cache import ByteCache
from pages.components.colour_bar import number
from pages.components.maps_cache import Pass, Weights, model_of, seen_of
from pages.components.turns import A_WHILE_S, own_turn

# A map has four bytes a pixel: 300 of them at 224 pixels.
KEPT_BYTES = 64 * 2**20
SIDE_PX = 288
CLASS = "mattered.class"
NAMED = "The one that it names"
SANITY_HELP = (
    "The same method, class and picture on weights that were never trained. Where the two maps "
    "look alike, the map shows the picture and the architecture, not what was learned "
    "(Adebayo et al. 2018)."
)
LEGEND = "Orange speaks for the class, blue against it; as strong as the largest value of the map."
# Above this the two maps put much the same places first.
ALIKE = 0.5


@dataclass(frozen=True)
class Question:
    """A picture and weights, a method, and the class that is asked about."""

    asked: Pass
    method: str
    target: int


@st.fragment
def show(asked: Pass) -> None:
    """Folded away until a reader opens it: then a map over the picture, in words too."""
    place = st.expander(
        "What mattered", icon=":material/highlight:", key="mattered.open", on_change="rerun"
    )
    # A map costs up to two hundred passes.
    if not place.open:
        return
    with place:
        try:
            ask(asked)
        except CnnLabError as error:
            st.error(str(error), icon=":material/block:")


def ask(asked: Pass) -> None:
    """The choice, the maps, and what they say. Raises: CnnLabError."""
    logits = seen_of(asked).logits
    if logits is None:
        st.info(
            "This network is loaded without its fully-connected layers, which hold most of its "
            "weights: there is no class to ask about. Choose a smaller preset."
        )
        return
    ways, classes = st.columns([3, 2], vertical_alignment="bottom")
    method = METHODS[
        ways.segmented_control(
            "Method",
            list(METHODS),
            default=next(iter(METHODS)),
            format_func=lambda name: METHODS[name].title,
            required=True,
            key="mattered.method",
        )
        or next(iter(METHODS))
    ]
    with classes:
        target = choose_class(asked.weights, int(logits.argmax()), len(logits))
    plan = method.plan(asked.weights.trace)
    st.caption(
        f"{plan.passes:,} passes, {plan.macs / 1e6:,.0f} million multiplications · {method.source}"
    )
    with st.spinner("The map is made …", show_time=True):
        found = map_of(Question(asked, method.name, target))
    fresh = replace(asked, weights=unlearned(asked.weights))
    # A head of many million weights is read from a file, but not drawn for a comparison.
    can_compare = fresh.weights.has_head
    sanity = can_compare and st.toggle(
        "Beside it: the same under random weights", key="mattered.sanity", help=SANITY_HELP
    )
    name = class_name(asked.weights, target)
    with st.container(horizontal=True):
        draw(asked.batch, found, f"{method.title} for {name}")
        if sanity:
            with st.spinner("The map under random weights is made …", show_time=True):
                other = map_of(Question(fresh, method.name, target))
            draw(asked.batch, other, "The same under random weights")
    st.caption(LEGEND)
    explain(asked, method, found)
    if sanity:
        st.markdown(verdict(found, other))


def choose_class(weights: Weights, named: int, count: int) -> int:
    """The class that is asked about: the one that the network names, or another."""
    names = [class_name(weights, i) for i in range(count)]
    # Streamlit tells choices by their words, and ImageNet has two kinds of cranes.
    seen = Counter(names)
    titles = [name if seen[name] == 1 else f"{name} ({i})" for i, name in enumerate(names)]
    titles.append(f"{NAMED}: {names[named]}")
    if state.get(CLASS, -1) not in range(-1, count):
        state.put(CLASS, -1)
    chosen = st.selectbox("Class", range(-1, count), format_func=titles.__getitem__, key=CLASS)
    return named if chosen == -1 else int(chosen)


def class_name(weights: Weights, target: int) -> str:
    return weights.classes[target] if weights.classes else f"class {target}"


def unlearned(weights: Weights) -> Weights:
    """The same network before any training; for fresh weights those of another seed."""
    return replace(weights, path="", dataset="", published="", seed=weights.seed + 1)


def map_of(question: Question) -> Attribution:
    """The map; the last ones are kept, and one at a time is made. Raises: CnnLabError."""
    asked = question.asked
    return maps().get(
        (asked.key, question.method, question.target),
        lambda: attribution.attribute(
            model_of(asked.weights),
            asked.batch,
            question.target,
            METHODS[question.method],
            asked.weights.trace,
        ),
        A_WHILE_S,
    )


@st.cache_resource(show_spinner=False)
def maps() -> ByteCache[Attribution]:
    return ByteCache(KEPT_BYTES, lambda found: found.nbytes, own_turn)


def draw(batch: Tensor, found: Attribution, title: str) -> None:
    """The map over the picture. Shape: `batch` (1, C, H, W)."""
    if found.is_empty:
        says = f"{title}: nothing, the score does not depend on any place"
    else:
        says = f"{title}: strongest {place(found)}"
    st.image(overlay(batch, found.values, SIDE_PX), width=SIDE_PX, caption=says, alt=says)


def place(found: Attribution) -> str:
    where = strongest(found.values)
    return f"in the {where}" if where == "middle" else f"at the {where}"


def explain(asked: Pass, method: Method, found: Attribution) -> None:
    """What such a map says and what it does not, with the numbers of this one."""
    trace = asked.weights.trace
    says, silent = attribution.about(method, asked.batch, method.plan(trace), trace)
    sums = ""
    if found.baseline is not None:
        change = found.score - found.baseline
        sums = (
            f" Here the score goes from {number(found.baseline)} to {number(found.score)}, by "
            f"{number(change)}; the pixels add up to {number(found.total)}."
        )
    st.markdown(f"**It says:** {says}{sums}\n\n**It does not say:** {silent}")


def verdict(found: Attribution, other: Attribution) -> str:
    """Whether the map depends on what was learned, in a sentence."""
    alike = attribution.likeness(found.values, other.values)
    if alike is None:
        return "One of the two maps is the same everywhere: there is nothing to compare."
    end = (
        "much of this map is there without any learning, so trust it little"
        if alike > ALIKE
        else "this map depends on what was learned"
    )
    return f"**Rank correlation of the two maps: {signed(alike)}**: {end}."


def signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
