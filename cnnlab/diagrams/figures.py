"""Which diagrams each section of the chapter shows, with their titles and captions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from cnnlab import catalog
from cnnlab.diagrams.drawings import (
    PlacedBlock,
    draw_block,
    draw_network,
    norm_placement_diagram,
    placed_blocks,
)
from cnnlab.diagrams.graph import Steps, trace
from cnnlab.diagrams.wording import BLOCKS, convolutions
from cnnlab.errors import ConfigError
from cnnlab.networks.densenet import DenseBlock
from cnnlab.networks.googlenet import Inception
from cnnlab.networks.resnet import Bottleneck, Residual

# A model and the shape of the batch that it is drawn for, (N, C, H, W).
Drawn = tuple[nn.Module, Sequence[int]]


@dataclass(frozen=True)
class Figure:
    """A diagram with what is written above and below it; `source` is Mermaid."""

    title: str
    caption: str
    source: str


def figures(section_slug: str, models: Mapping[str, Drawn]) -> list[Figure]:
    """The diagrams of a section, for each of these networks (name -> model, input shape).

    Raises: ConfigError for an unknown section or network, or a picture that does not fit.
    """
    if section_slug not in SECTIONS:
        raise ConfigError(f"There is no section {section_slug!r}; there are {', '.join(SECTIONS)}.")
    return [
        figure
        for name, (model, input_shape) in models.items()
        for figure in SECTIONS[section_slug](full_title(name, model), model, input_shape)
    ]


def whole(title: str, model: nn.Module, input_shape: Sequence[int]) -> list[Figure]:
    """The whole network."""
    return [network_figure(title, model, trace(model, input_shape, tuple(BLOCKS)))]


def whole_and_block(title: str, model: nn.Module, input_shape: Sequence[int]) -> list[Figure]:
    """The whole network, and a block of it in detail."""
    steps = trace(model, input_shape, tuple(BLOCKS))
    return [network_figure(title, model, steps), block_figure(title, model, placed_blocks(steps))]


def norm_placement(title: str, model: nn.Module, _: Sequence[int]) -> list[Figure]:
    """Where batch normalization sits."""
    layers = list(model.modules())
    sentences = [
        *([NORM_CONVOLUTION] if any(isinstance(m, nn.BatchNorm2d) for m in layers) else []),
        *([NORM_FULLY_CONNECTED] if any(isinstance(m, nn.BatchNorm1d) for m in layers) else []),
    ]
    return [
        Figure(
            title=f"Where batch normalization sits in {title}",
            caption=" ".join(sentences) or NO_NORM,
            source=norm_placement_diagram(model),
        )
    ]


def network_figure(title: str, model: nn.Module, steps: Steps) -> Figure:
    sentences = [
        "Between the boxes: channels × height × width of what one hands to the next.",
        *([DOUBLE_SIDES] if placed_blocks(steps) else []),
        *bias_note(model),
    ]
    return Figure(f"{title} from input to output", " ".join(sentences), draw_network(steps))


def block_figure(title: str, model: nn.Module, blocks: Sequence[PlacedBlock]) -> Figure:
    block = blocks[0].module
    caption = CAPTIONS.get(type(block), "")
    if isinstance(block, Residual | Bottleneck) and block.shortcut is None:
        caption = NO_SKIP
    name = BLOCKS[type(block)].title
    return Figure(
        title=f"{name[0].upper()}{name[1:]} of {title} in detail",
        caption=" ".join([caption, *bias_note(model)]),
        source=draw_block(blocks),
    )


def full_title(name: str, model: nn.Module) -> str:
    """The network's name, with its number of layers where networks of a family differ in it."""
    title = catalog.network(name).title
    depth = getattr(getattr(model, "options", None), "depth", None)
    return f"{title}-{depth}" if depth else title


def bias_note(model: nn.Module) -> list[str]:
    """A sentence where the convolutions have no bias."""
    found = convolutions(model)
    if found and all(layer.bias is None for layer in found):
        return ["The convolutions have no bias."]
    return []


DOUBLE_SIDES = "A box with double sides is a block of several layers."
NORM_CONVOLUTION = (
    "γ is the scale and β the shift that are learned: after a convolution one of each per channel, "
    "shared by all pixels."
)
NORM_FULLY_CONNECTED = "After a fully-connected layer there is one of each per unit."
NO_NORM = "Batch normalization is off here. Switch it on to see where it sits."
SKIP = (
    "The input of the block is added to its output; where their shapes differ, a 1×1 convolution "
    "fits the input first."
)
NO_SKIP = "The skip is off: nothing but what the layers make of the input reaches the output."
CAPTIONS: dict[type[nn.Module], str] = {
    Inception: (
        "All paths read the same input; the concatenation puts their channels one after another."
    ),
    Residual: SKIP,
    Bottleneck: SKIP,
    DenseBlock: (
        "Every layer reads the channels of the input and of all layers before it, concatenated, "
        "and adds its own."
    ),
}
SECTIONS: dict[str, Callable[[str, nn.Module, Sequence[int]], list[Figure]]] = {
    "alexnet": whole,
    "vgg": whole,
    "nin": whole,
    "googlenet": whole_and_block,
    "batch_norm": norm_placement,
    "resnet": whole_and_block,
    "densenet": whole_and_block,
}
