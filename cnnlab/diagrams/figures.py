"""Which diagrams each section of the chapter shows, with their titles and captions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from cnnlab import catalog
from cnnlab.diagrams import captions
from cnnlab.diagrams.drawings import (
    block_diagram,
    network_diagram,
    norm_placement_diagram,
    placed_blocks,
    shared_marks,
)
from cnnlab.diagrams.marks import MARKS, Changes
from cnnlab.diagrams.wording import convolutions, describe
from cnnlab.errors import ConfigError
from cnnlab.networks import residual
from cnnlab.networks.batch_norm import NormKind, NormLayer, norm_kind
from cnnlab.networks.densenet import DenseBlock
from cnnlab.networks.googlenet import AUXILIARY_WEIGHT
from cnnlab.networks.inception import Inception
from cnnlab.networks.nin import NiNBlock
from cnnlab.networks.vgg import VGGBlock
from cnnlab.trace import Trace


@dataclass(frozen=True)
class Figure:
    """A diagram with what is written above and below it; `source` is Mermaid."""

    title: str
    caption: str
    source: str


def figures(
    section_slug: str, traces: Mapping[str, Trace], kinds: Sequence[str] | None = None
) -> list[Figure]:
    """The diagrams of a section, for each of these networks (name -> its trace).

    `kinds`: those of `FIGURES` that are wanted; all that the section shows when left out.

    Raises: ConfigError for an unknown section, network or kind.
    """
    if section_slug not in catalog.SECTIONS:
        known = ", ".join(catalog.SECTIONS)
        raise ConfigError(f"There is no section {section_slug!r}; there are {known}.")
    wanted = catalog.SECTIONS[section_slug].figures if kinds is None else kinds
    for kind in wanted:
        if kind not in FIGURES:
            raise ConfigError(f"There is no figure {kind!r}; there are {', '.join(FIGURES)}.")
    return [
        figure
        for name, found in traces.items()
        for kind in wanted
        if (figure := FIGURES[kind](full_title(name, found.outline), found)) is not None
    ]


def compared(
    before: tuple[str, Trace], after: tuple[str, Trace], changes: Changes
) -> list[list[Figure]]:
    """Two networks, each with its name: both as a whole, then a block of both, `changes` marked.

    Of blocks in which nothing is marked there is no row.
    Raises: ConfigError for an unknown network.
    """
    marks = shared_marks((before[1], after[1]), changes)
    rows: list[list[Figure]] = []
    for draw in (network, block):
        row = []
        for side, (name, found) in {"Before": before, "Now": after}.items():
            if figure := draw(full_title(name, found.outline), found, marks):
                row.append(replace(figure, title=f"{side}: {figure.title}"))
        rows.append(row)
    whole, blocks = rows
    marked = any(f"stroke:{mark.border}" in x.source for x in blocks for mark in MARKS.values())
    return [whole, blocks] if marked else [whole]


def network(title: str, found: Trace, changes: Changes | None = None) -> Figure:
    """The whole network."""
    sentences = [
        "Between the boxes: channels × height × width of what one hands to the next.",
        *([DOUBLE_SIDES] if placed_blocks(found) else []),
        *([AUXILIARY] if any(node.training_only for node in found.nodes) else []),
        *bias_note(found.outline),
    ]
    source = network_diagram(found, changes)
    return Figure(f"{title} from input to output", " ".join(sentences), source)


def block(title: str, found: Trace, changes: Changes | None = None) -> Figure | None:
    """A block in detail; none where the network has no blocks."""
    blocks = placed_blocks(found)
    if not blocks:
        return None
    first = blocks[0].module
    caption = CAPTIONS[type(first)](first) if type(first) in CAPTIONS else ""
    if isinstance(first, residual.Block):
        caption = residual_caption(first, found.outline)
    _, ((name,), *_) = describe(first)
    return Figure(
        title=f"{name[0].upper()}{name[1:]} of {title} in detail",
        caption=" ".join(filter(None, [caption, *bias_note(found.outline)])),
        source=block_diagram(found, changes),
    )


def residual_caption(first: residual.Block, model: nn.Module) -> str:
    """What is on the skips, and in which order a block computes."""
    fitted = any(isinstance(layer, residual.ZeroPadded) for layer in model.modules())
    skip = NO_SKIP if first.shortcut is None else SKIP_ZERO_PADDED if fitted else SKIP
    pre = isinstance(first, residual.PreActivation | residual.PreActivationBottleneck)
    return f"{skip} {PRE_ACTIVATION}" if pre else skip


def norm_placement(title: str, found: Trace) -> Figure:
    """Where batch normalization sits."""
    # By the number of axes of what is normalized: maps or single features.
    kinds = {
        len(node.output_shape): norm_kind(layer)
        for node in found.nodes
        if isinstance(layer := found.outline.get_submodule(node.path), NormLayer)
    }
    sentences = [
        *(NORM_OF_AXES[axes] for axes, kind in kinds.items() if kind != "frozen"),
        *(sentence for kind, sentence in NORM_KINDS.items() if kind in kinds.values()),
    ]
    return Figure(
        title=f"Where batch normalization sits in {title}",
        caption=" ".join(sentences) or NO_NORM,
        source=norm_placement_diagram(found),
    )


def full_title(name: str, model: nn.Module) -> str:
    """The network's name, with its number of layers or its blocks where a family differs in it."""
    title = catalog.network(name).title
    options = getattr(model, "options", None)
    if blocks := getattr(options, "blocks", ""):
        return f"{title} {blocks}"
    depth = getattr(options, "depth", None)
    return f"{title}-{depth}" if depth else title


def bias_note(model: nn.Module) -> list[str]:
    """A sentence where the convolutions have no bias."""
    found = convolutions(model)
    if found and all(layer.bias is None for layer in found):
        return ["The convolutions have no bias."]
    return []


DOUBLE_SIDES = "A box with double sides is a block of several layers."
AUXILIARY = (
    "The auxiliary heads are there in training only: their losses, each times "
    f"{AUXILIARY_WEIGHT:g}, are added to the network's own."
)
NORM_OF_AXES = {
    4: "γ is the scale and β the shift that are learned: after a convolution one of each per "
    "channel, shared by all pixels.",
    2: "After a fully-connected layer there is one of each per unit.",
}
NORM_KINDS: dict[NormKind, str] = {
    "frozen": "γ and β are frozen here: the scale stays 1 and the shift 0.",
    "mean_only": "Here it subtracts the mean and divides by nothing.",
    "variance_only": "Here it divides by the standard deviation and subtracts nothing.",
    "batch_statistics": "Here it takes mean and variance from the batch in prediction too.",
}
NO_NORM = "Batch normalization is off here. Switch it on to see where it sits."
SKIP = (
    "The input of the block is added to its output; where their shapes differ, a 1×1 convolution "
    "fits the input first."
)
SKIP_ZERO_PADDED = (
    "The input of the block is added to its output; where their shapes differ, every second pixel "
    "of it is added, and nothing to the new channels."
)
PRE_ACTIVATION = "Batch norm and activation stand before each convolution."
NO_SKIP = "The skip is off: nothing but what the layers make of the input reaches the output."
CAPTIONS: dict[type[nn.Module], Callable[[Any], str]] = {
    VGGBlock: captions.of_vgg,
    NiNBlock: captions.of_nin,
    Inception: captions.of_inception,
    DenseBlock: captions.of_dense,
}
# What the field `figures` of a section can name.
FIGURES: dict[str, Callable[[str, Trace], Figure | None]] = {
    "network": network,
    "block": block,
    "norm_placement": norm_placement,
}
