"""The drawings of the chapter: a network, a block in detail, where batch norm sits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from torch import nn

from cnnlab.diagrams.marks import Changes, outward, together
from cnnlab.diagrams.mermaid import Group, flowchart
from cnnlab.diagrams.nodes import Node, Nodes, folded, unfolded
from cnnlab.diagrams.steps import ModuleTypes, steps
from cnnlab.diagrams.wording import block_types, describe
from cnnlab.errors import ConfigError
from cnnlab.networks import residual
from cnnlab.networks.batch_norm import NormLayer, norm_kind
from cnnlab.networks.densenet import DenseBlock, DenseLayer
from cnnlab.trace import Shape, Trace

# Characters per line of a label: what a phone shows without shrinking it much.
ONE_COLUMN, TWO_COLUMNS, MORE_COLUMNS = 42, 17, 13
SHOWN_DENSE_LAYERS = 3


@dataclass(frozen=True)
class PlacedBlock:
    """A block, where it stands in a network, and the shapes that it reads and makes there.

    `changes` are marked where the network is held against another.

    Shape: without the batch, (C, H, W).
    """

    found: Trace
    path: str
    module: nn.Module
    input_shape: Shape
    shape: Shape
    changes: Changes | None = None


def network_diagram(found: Trace, changes: Changes | None = None) -> str:
    """The whole network from top to bottom, a block as one box, shapes between the boxes."""
    nodes = unfolded(steps(found, block_types()), changes)
    return flowchart([Group(folded(nodes))], ONE_COLUMN, shapes=True)


def shared_marks(traces: Sequence[Trace], changes: Changes) -> Changes:
    """What happened to every module and function, by its path, the same for both networks.

    A box into whose label a new layer is taken is changed; then so is that box without it.
    """
    marks = outward(changes)
    changed = [
        node.name
        for found in traces
        for node in folded(unfolded(steps(found), marks)).values()
        if node.mark == "changed"
    ]
    return {**marks, **dict.fromkeys(changed, "changed")}


def block_diagram(found: Trace, changes: Changes | None = None) -> str:
    """A block in detail; of residual blocks one that keeps the shape and one that does not.

    Raises: ConfigError when the network has no blocks.
    """
    blocks = placed_blocks(found, changes)
    if not blocks:
        raise ConfigError(
            f"{type(found.outline).__name__} has no blocks to draw; draw the whole network instead."
        )
    for types, draw in DRAWINGS.items():
        if isinstance(blocks[0].module, types):
            return draw(blocks)
    return one_block(blocks)


def placed_blocks(found: Trace, changes: Changes | None = None) -> list[PlacedBlock]:
    """The blocks of a network in running order."""
    types = block_types()
    return [
        PlacedBlock(found, step.path, step.operation, step.input_shape, step.shape, changes)
        for step in steps(found, types).values()
        if isinstance(step.operation, nn.Module) and isinstance(step.operation, types)
    ]


def norm_placement_diagram(found: Trace) -> str:
    """What follows the first convolution and the first hidden fully-connected layer."""
    layers = [
        found.outline.get_submodule(node.path)
        for node in found.nodes
        if node.is_module and not node.training_only
    ]
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    firsts: dict[str, Sequence[nn.Module]] = {
        "Convolution layer": [layer for layer in layers if isinstance(layer, nn.Conv2d)],
        # The last one gives the logits: there is nothing to normalize after it.
        "Fully-connected layer": linear[:-1],
    }
    groups = [Group(followed(layers, found[0]), title) for title, found in firsts.items() if found]
    return flowchart(groups, TWO_COLUMNS, highlight="normalization")


def followed(layers: Sequence[nn.Module], first: nn.Module) -> Nodes:
    """A layer and what comes after it, until a kind of layer comes again."""
    nodes: Nodes = {}
    for layer in layers[next(i for i, layer in enumerate(layers) if layer is first) :]:
        kind, lines = describe(layer)
        if kind == "flatten" or kind in [node.kind for node in nodes.values()]:
            break
        if isinstance(layer, NormLayer) and norm_kind(layer) != "frozen":
            lines = (*lines, (f"{layer.num_features} γ and {layer.num_features} β",))
        nodes[len(nodes)] = Node(kind, lines, sources=(len(nodes) - 1,) if nodes else ())
    return nodes


def inside(block: PlacedBlock, whole: ModuleTypes = ()) -> Nodes:
    """What a block does, layer by layer."""
    return unfolded(steps(block.found, whole, block.path), block.changes)


def one_block(blocks: Sequence[PlacedBlock]) -> str:
    """The first of the deepest blocks, activations and the like in the labels of their layers."""
    alike = [block for block in blocks if type(block.module) is type(blocks[0].module)]
    deepest = max(alike, key=lambda block: len(list(block.module.modules())))
    return flowchart([Group(folded(inside(deepest)))], MORE_COLUMNS)


def residual_blocks(blocks: Sequence[PlacedBlock]) -> str:
    """The first block that keeps the shape, and the first that changes it."""
    keeping = [block for block in blocks if block.input_shape == block.shape]
    changing = [block for block in blocks if block.input_shape != block.shape]
    titles = {"Shape kept": keeping, "Shape changed": changing}
    groups = [Group(inside(found[0]), title) for title, found in titles.items() if found]
    return flowchart(groups, MORE_COLUMNS)


def dense_block(blocks: Sequence[PlacedBlock]) -> str:
    """Which layer of the first block reads which, and what the first layer does."""
    first = blocks[0]
    verb = "add" if getattr(first.module, "join", "") == "concatenate" else "make"
    name, _ = next(first.module.named_children())
    layer = unfolded(steps(first.found, inside=f"{first.path}.{name}"), first.changes)
    connections = shortened(connected(inside(first, (DenseLayer,))), verb)
    groups = [Group(connections, "Dense block"), Group(layer, "Inside layer 1")]
    return flowchart(groups, TWO_COLUMNS, stacked=True)


def connected(nodes: Nodes) -> Nodes:
    """Every layer joined to all that it reads, the meetings on the way left out."""
    last = max(i for i, node in nodes.items() if node.kind == "meeting")
    parts: dict[int, tuple[int, ...]] = {}
    kept: Nodes = {}
    for i, node in nodes.items():
        sources = tuple(part for source in node.sources for part in parts.get(source, (source,)))
        if node.kind == "meeting" and i != last:
            parts[i] = sources
        else:
            kept[i] = replace(node, sources=sources)
    return kept


def shortened(nodes: Nodes, verb: str) -> Nodes:
    """The layers numbered, with their channels; those beyond the first few as one box.

    `verb` says what a layer does with its own channels.
    """
    layers = [i for i, node in nodes.items() if node.kind == "block"]
    shown, rest = layers[:SHOWN_DENSE_LAYERS], layers[SHOWN_DENSE_LAYERS:]
    if len(rest) == 1:
        shown, rest = layers, []
    named = dict(nodes)
    for number, i in enumerate(shown, start=1):
        node = nodes[i]
        reads, new = node.input_shape[0], node.shape[0]
        lines = ((f"layer {number}",), (f"reads {reads}",), (f"{verb}s {new}",))
        named[i] = replace(node, lines=lines)
    if rest:
        node = nodes[rest[0]]
        read = dict.fromkeys(str(nodes[i].input_shape[0]) for i in (rest[0], rest[-1]))
        lines = (
            (f"layers {len(shown) + 1} to {len(layers)}",),
            (f"read {' to '.join(read)}",),
            (f"{verb} {node.shape[0]} each",),
        )
        mark = together(nodes[i].mark for i in rest)
        named[rest[0]] = replace(node, lines=lines, mark=mark)
    return {
        i: replace(node, sources=tuple(s for s in node.sources if s not in rest[1:]))
        for i, node in named.items()
        if i not in rest[1:]
    }


DRAWINGS: dict[ModuleTypes, Callable[[Sequence[PlacedBlock]], str]] = {
    get_args(residual.Block): residual_blocks,
    (DenseBlock,): dense_block,
}
