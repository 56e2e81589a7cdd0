"""One value of a layer taken apart: the numbers it is made of, and steps to its neighbours."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from cnnlab import pass_price
from cnnlab.catalog import NETWORKS
from cnnlab.errors import CnnLabError
from cnnlab.explain.arithmetic import (
    Activation,
    Arithmetic,
    Average,
    Combined,
    Dropout,
    Joined,
    Maximum,
    Normalization,
    Passed,
    WeightedSum,
)
from cnnlab.explain.receptive import Place, node_of
from cnnlab.explain.value import Value, origins, take_apart
from cnnlab.explain.walk import Walk, walk
from cnnlab.trace import INPUT, Node, Trace, trace_of
from pages.components import receptive, state, stepping
from pages.components.byte_cache import ByteCache
from pages.components.colour_bar import number
from pages.components.maps_cache import Pass, model_of
from pages.components.turns import own_turn

SHOWN_BYTES = 16 * 2**20
SHOWN_PARTS = 8
TRAIL = "one_value.trail"
# A value: the node of the trace that made it, and its place there.
Step = tuple[int, Place]
KINDS: dict[type[object], str] = {
    WeightedSum: "sum",
    Average: "average",
    Maximum: "maximum",
    Activation: "activation",
    Normalization: "normalization",
    Dropout: "dropout",
    Combined: "combined",
    Joined: "joined",
}
steps = stepping.component("one_value")


@dataclass(frozen=True)
class Shown:
    """What is drawn of a value: words, and what the component gets where there are neighbours."""

    given: float
    words: str
    message: dict[str, object] | None = None
    origins: tuple[tuple[int, Place], ...] = ()


# A fragment: the values that a value was made of open without the page.
@st.fragment
def show(asked: Pass, layer: str, channel: int, row: int = 0, column: int = 0) -> None:
    """The arithmetic of one value, and what that value sees of the picture.

    Features without height and width are channels.
    """
    try:
        found = trace_of(
            NETWORKS[asked.weights.network], asked.weights.options, asked.batch.shape[2]
        )
        trail = trail_from((node_of(found, layer), Place(channel, row, column)))
    except CnnLabError as error:
        st.error(str(error), icon=":material/calculate:")
        return
    arithmetic(asked, found, trail)
    # Of the value that is open, which may be one that the first was made of.
    receptive.show(asked, *trail[-1])


def arithmetic(asked: Pass, found: Trace, trail: list[Step]) -> None:
    """How the value that is open was computed, and the way to others; a sentence if it cannot."""
    node, place = trail[-1]
    try:
        pass_price.check_price(found)
        shown = apart().get(
            (asked.key, node, place),
            lambda: take(asked, found, node, place),
            pass_price.expected_s(found),
        )
    except CnnLabError as error:
        st.info(str(error), icon=":material/calculate:")
        return
    st.markdown(heading(found.nodes[node], place, shown.given))
    if shown.message:
        steps(key="one_value", data=shown.message)
    else:
        st.markdown(shown.words)
    further(found, trail, shown)


def trail_from(start: Step) -> list[Step]:
    """The values that were opened one from the other, from the one that was asked for on."""
    trail = state.listed(TRAIL)
    return trail if trail[:1] == [start] else [start]


def further(found: Trace, trail: list[Step], shown: Shown) -> None:
    """Buttons to the values that this one was made of, and back."""
    with st.container(horizontal=True):
        if len(trail) > 1:
            st.button(
                f"Back to {name_of(found.nodes[trail[-2][0]])}",
                icon=":material/arrow_back:",
                key="one_value.back",
                on_click=state.put,
                args=(TRAIL, trail[:-1]),
            )
        for i, origin in enumerate(shown.origins):
            st.button(
                f"Its input: {name_of(found.nodes[origin[0]])}",
                icon=":material/account_tree:",
                key=f"one_value.origin{i}",
                on_click=state.put,
                args=(TRAIL, [*trail, origin]),
                help="Take the value apart that this one was made of.",
            )


@st.cache_resource(show_spinner=False)
def apart() -> ByteCache[Shown]:
    """What was drawn last; one value is taken apart at a time."""
    return ByteCache(
        SHOWN_BYTES, lambda shown: len(json.dumps(shown.message)) + len(shown.words), own_turn
    )


def take(asked: Pass, found: Trace, node: int, place: Place) -> Shown:
    """What is drawn of a value of a node. Raises: CnnLabError."""
    value = take_apart(model_of(asked.weights), asked.batch, node, place)
    path = walk(value)
    made_of = origins(found, node, value)
    if path is None:
        return Shown(value.given, words(value.arithmetic), origins=made_of)
    names = [name_of(found.nodes[source]) for source in found.sources(node)]
    return Shown(value.given, "", message(value, path, names), made_of)


def name_of(node: Node) -> str:
    """A node as the source of others: a module by its path, a function with its block's."""
    if node.operation == INPUT:
        return "the picture"
    return node.path if node.is_module else f"{node.path} ({node.operation})"


def heading(node: Node, place: Place, given: float) -> str:
    """Which value, of which layer."""
    where = f"channel {place.channel}, row {place.row}, column {place.column}"
    if len(node.output_shape) < 4:
        where = f"feature {place.channel}"
    name = " ".join(part for part in (node.path, f"({node.operation})") if part)
    return f"**{name}**, {where}: **{number(given)}**"


def message(value: Value, path: Walk, names: Sequence[str]) -> dict[str, object]:
    """The walk as the component reads it; `names` are those of the nodes that are read."""
    found, place = value.arithmetic, value.place
    return {
        "kind": KINDS[type(found)],
        "title": f"Arithmetic of channel {place.channel} of {value.captured.node.path}",
        "start": [place.row - path.top, place.column - path.left],
        "top": path.top,
        "left": path.left,
        "height": path.output.shape[0],
        "width": path.output.shape[1],
        "output": packed(path.output),
        "rows": path.rows.tolist(),
        "columns": path.columns.tolist(),
        # One that is added to itself is read once.
        "names": [names[min(i, len(names) - 1)] for i in range(max(len(names), 2))],
        "sources": [
            {
                "channel": source.channel,
                "values": packed(source.values),
                "height": source.values.shape[0],
                "width": source.values.shape[1],
                "kernel": None if source.kernel is None else packed(source.kernel),
            }
            for source in path.sources
        ],
        "rest": None if path.rest is None else packed(path.rest),
        "others": path.others,
        "counts": None if path.counts is None else packed(path.counts),
        **facts(found),
    }


def facts(found: Arithmetic) -> dict[str, object]:
    """The numbers that are the same for all neighbours."""
    match found:
        case WeightedSum():
            return {"bias": found.bias, "has_bias": found.has_bias}
        case Activation():
            return {"function": found.function, "slope": found.slope}
        case Normalization():
            names = ("mean", "deviation", "gamma", "beta")
            return {name: getattr(found, name) for name in names}
        case Dropout():
            return {"p": found.p}
        case Combined():
            return {"operation": found.operation}
        case Joined():
            return {"part": found.part + 1, "sizes": list(found.sizes)}
    return {}


def packed(values: Tensor) -> str:
    """Numbers of 32 bits in base64, as JavaScript reads them at once."""
    return base64.b64encode(values.detach().float().contiguous().numpy().tobytes()).decode()


def words(found: Arithmetic) -> str:
    """The arithmetic of a value that has no neighbours in a map, in Markdown."""
    match found:
        case WeightedSum():
            return connected(found)
        case Activation():
            name = found.function.replace("_", " ")
            return f"{name}({number(found.x)}) = **{number(found.result)}**"
        case Normalization():
            return (
                f"γ · (x − μ) / σ + β = {bracketed(found.gamma)} · ({number(found.x)} − "
                f"{bracketed(found.mean)}) / {number(found.deviation)} + {bracketed(found.beta)} = "
                f"**{number(found.result)}**"
            )
        case Dropout():
            return (
                f"Prediction passes the value on: **{number(found.x)}**. Training sets it to 0 "
                f"with probability {found.p:g}, and otherwise makes it {number(found.x)} / (1 − "
                f"{found.p:g}) = {number(found.kept)}: on average {number(found.mean)}."
            )
        case Combined():
            sign = " · " if found.operation == "mul" else " + "
            return f"{sign.join(map(bracketed, found.values))} = **{number(found.result)}**"
        case Passed():
            if not found.source:
                return f"Filled in: **{number(found.result)}**. Nothing was there before."
            places = ", ".join(map(str, found.source[1:]))
            return (
                f"Nothing is computed: the value stood at ({places}) (channel, row, column) of the "
                f"input, **{number(found.result)}**."
            )
    return f"**{number(found.result)}**"


def connected(found: WeightedSum) -> str:
    """The features that add most to a fully-connected sum, the rest in one number."""
    parts, rest = found.largest(SHOWN_PARTS)
    first = found.channels[0]
    rows = [
        f"| {part.channel} | {number(float(found.patch[part.channel - first]))} "
        f"| {number(float(found.kernel[part.channel - first]))} | {number(part.amount)} |"
        for part in parts
    ]
    others = len(found.channels) - len(parts)
    pieces = [bracketed(part.amount) for part in parts]
    pieces += [f"{bracketed(rest)} ({others:,} others)"] if others else []
    pieces += [f"{bracketed(found.bias)} (bias)"] if found.has_bias else []
    table = "\n".join(["| Input | Value | Weight | Product |", "|---:|---:|---:|---:|", *rows])
    return f"{table}\n\n{' + '.join(pieces)} = **{number(found.result)}**"


def bracketed(value: float) -> str:
    """A number inside a sum, in brackets where it is negative."""
    return f"({number(value)})" if value < 0 else number(value)
