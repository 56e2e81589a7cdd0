"""What sets two networks apart: their layers matched by name, and what every change costs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from cnnlab.diagrams.marks import AGAIN, Change
from cnnlab.diagrams.wording import describe
from cnnlab.summary import Layer, Summary, layer, layers
from cnnlab.trace import INPUT, Node, Trace

Quantity = Literal["params", "macs", "activation_bytes"]


@dataclass(frozen=True)
class Side:
    """A layer as one of the two networks has it, and what it is in words."""

    layer: Layer
    words: str


@dataclass(frozen=True)
class Row:
    """A layer by its name; on the side of a network that has no such layer there is nothing."""

    name: str
    before: Side | None
    after: Side | None

    @cached_property
    def change(self) -> Change:
        """Whether anything differs in what it is, reads, makes or costs.

        How far it sees is no change of its own: that follows from the layers before it.
        """
        if self.before is None or self.after is None:
            return "added" if self.before is None else "removed"
        return "same" if alike(self.before) == alike(self.after) else "changed"

    def values(self, quantity: Quantity) -> tuple[int, int]:
        """What it costs before and after; what is not there costs nothing."""
        before, after = (getattr(x.layer, quantity) if x else 0 for x in (self.before, self.after))
        return before, after


@dataclass(frozen=True)
class Difference:
    """The layers of two networks side by side, and both layer tables.

    Functions that modules call have rows too: they show a skip that is gone. As in the layer
    table, what they make is not counted as memory.
    """

    rows: tuple[Row, ...]
    before: Summary
    after: Summary

    @cached_property
    def changes(self) -> dict[str, Change]:
        """What happened to every layer, by its name."""
        return {row.name: row.change for row in self.rows}

    @property
    def differing(self) -> tuple[Row, ...]:
        """The rows in which something is not the same."""
        return tuple(row for row in self.rows if row.change != "same")

    def totals(self, quantity: Quantity) -> tuple[int, int]:
        """What both networks cost as a whole."""
        return getattr(self.before, quantity), getattr(self.after, quantity)


def difference(before: Trace, after: Trace) -> Difference:
    """Hold a network against another, layer by layer."""
    return Difference(matched(sides(before), sides(after)), layers(before), layers(after))


def matched(before: Mapping[str, Side], after: Mapping[str, Side]) -> tuple[Row, ...]:
    """The layers of both by name, in the order in which they run."""
    names = in_order(list(before), list(after))
    return tuple(Row(name, before.get(name), after.get(name)) for name in names)


def in_order(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """All names once: in the order of `after`, what is gone from it behind what it followed."""
    kept = set(after)
    # What is gone, by the last name before it that is kept.
    gone: dict[str, list[str]] = {}
    first: list[str] = []
    behind = first
    for name in before:
        if name in kept:
            behind = gone.setdefault(name, [])
        else:
            behind.append(name)
    return first + [one for name in after for one in (name, *gone.get(name, ()))]


def sides(found: Trace) -> dict[str, Side]:
    """Everything that ran in a network but the input, by name; what ran again has a number."""
    times: Counter[str] = Counter()
    made: dict[str, Side] = {}
    for i, node in enumerate(found.nodes):
        if node.operation == INPUT:
            continue
        own = layer(node)
        times[own.name] += 1
        name = own.name if times[own.name] == 1 else f"{own.name}{AGAIN}{times[own.name]}"
        if not (node.is_module or node.params or node.macs):
            own = replace(own, activation_bytes=0)
        made[name] = Side(own, words(found, node, len(found.sources(i))))
    return made


def words(found: Trace, node: Node, reads: int) -> str:
    """What a node is, as the diagrams say it: "3×3 convolution, 32 channels"."""
    operation = found.outline.get_submodule(node.path) if node.is_module else node.operation
    _, lines = describe(operation, reads)
    return ", ".join(piece for line in lines for piece in line)


def alike(side: Side) -> Side:
    """A layer without what follows from others alone."""
    return replace(side, layer=replace(side.layer, receptive_field=0))
