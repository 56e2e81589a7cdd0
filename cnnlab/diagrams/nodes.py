"""The boxes of a diagram: steps of a model, with what belongs together folded into one."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod

from cnnlab.diagrams.marks import Change, Changes, together
from cnnlab.diagrams.steps import Steps
from cnnlab.diagrams.wording import BLOCKS, RIDERS, Kind, Line, describe
from cnnlab.trace import INPUT, Shape


@dataclass(frozen=True)
class Node:
    """A box: its kind, the lines of its label, the boxes it reads, what it hands on.

    `name` and `mark`: what it begins with, and what is different about it, where the network is
    held against another.

    Shape: without the batch, (C, H, W) or (features,).
    """

    kind: Kind
    lines: tuple[Line, ...]
    sources: tuple[int, ...]
    input_shape: Shape = ()
    shape: Shape = ()
    flattened_from: Shape | None = None
    count: int = 1
    name: str = ""
    mark: Change = "same"

    @property
    def title(self) -> str:
        return self.lines[0][0]

    @property
    def handed_on(self) -> str:
        """The shape of the output, in words."""
        if self.flattened_from and prod(self.flattened_from[1:]) > 1:
            return f"{by(self.flattened_from)} = {by(self.shape)}"
        return by(self.shape)


Nodes = dict[int, Node]


def by(shape: Shape) -> str:
    """A shape as it is written in a diagram."""
    return "×".join(map(str, shape))


def unfolded(steps: Steps, changes: Changes | None = None) -> Nodes:
    """One box per step, and one for the output; `changes` are marked on them."""
    nodes: Nodes = {}
    for i, step in steps.items():
        if step.operation == INPUT:
            nodes[i] = Node("terminal", (("input",),), (), step.shape, step.shape)
            continue
        kind, lines = describe(step.operation, len(step.sources))
        nodes[i] = Node(kind, lines, step.sources, step.input_shape, step.shape)
        if changes:
            mark = changes.get(step.name, "same")
            nodes[i] = replace(nodes[i], name=step.name, mark=mark)
    last = max(nodes)
    shape = nodes[last].shape
    nodes[last + 1] = Node("terminal", (("output",),), (last,), shape, shape)
    return nodes


def folded(nodes: Nodes) -> Nodes:
    """Activations and the like in the label of their layer, equal boxes in a row as one."""
    return join(join(one_way(nodes), absorb), repeat)


def one_way(nodes: Nodes) -> Nodes:
    """Blocks beside the way to the output become a line in the label of what they read.

    Boxes of their own would push the way aside, and it is the way that is to be followed.
    """
    read = {source for node in nodes.values() for source in node.sources}
    kept = dict(nodes)
    for i, node in nodes.items():
        if node.kind == "block" and i not in read and len(node.sources) == 1:
            source = kept[node.sources[0]]
            line = tuple(piece for line in node.lines for piece in line)
            mark = ridden(source, node)
            kept[node.sources[0]] = replace(source, lines=(*source.lines, line), mark=mark)
            del kept[i]
    return kept


def join(nodes: Nodes, rule: Callable[[Node, Node], Node | None]) -> Nodes:
    """Make one box of two in a row, with nothing else between, wherever the rule makes one."""
    readers = Counter(source for node in nodes.values() for source in node.sources)
    kept: Nodes = {}
    became: dict[int, int] = {}
    for i, node in nodes.items():
        sources = tuple(became[source] for source in node.sources)
        became[i] = i
        if len(sources) == 1 and readers[node.sources[0]] == 1:
            before = sources[0]
            if one := rule(kept[before], node):
                kept[before], became[i] = one, before
                continue
        kept[i] = replace(node, sources=sources)
    return kept


def absorb(before: Node, node: Node) -> Node | None:
    """What only serves the layer before it is said in that layer's label."""
    if before.kind == "terminal":
        return None
    mark = ridden(before, node)
    if node.kind == "flatten":
        return replace(before, shape=node.shape, flattened_from=before.shape, mark=mark)
    # A block has its own activations: one after it is a step of the network.
    serves = (node.kind in RIDERS and before.kind != "block") or (
        node.kind == "normalization" and before.kind in ("convolution", "fully_connected")
    )
    if not serves:
        return None
    *lines, last = before.lines
    return replace(before, lines=(*lines, last + node.lines[0]), shape=node.shape, mark=mark)


def ridden(before: Node, rider: Node) -> Change:
    """The mark of a box with what its label takes in; what is as it was there says nothing."""
    return before.mark if rider.mark == "same" else together((before.mark, rider.mark))


def repeat(before: Node, node: Node) -> Node | None:
    """Blocks that are the same, or of which the label has room for a row, are counted."""
    if before.mark != node.mark:
        return None
    same = before.lines == node.lines and before.input_shape == before.shape == node.shape
    if same and node.kind == "block":
        return replace(before, count=before.count + 1)
    stacks = any(block.stacks and block.title == node.title for block in BLOCKS.values())
    if stacks and before.title == node.title and before.shape[1:] == node.shape[1:]:
        lines = before.lines + node.lines[1:]
        return replace(before, lines=lines, shape=node.shape, count=before.count + 1)
    return None
