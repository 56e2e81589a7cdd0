"""Labels of diagrams: what is said about each kind of layer and block, one table each."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import Any, Literal

from torch import nn

from cnnlab import catalog
from cnnlab.hooks import leaves
from cnnlab.networks.batch_norm import BatchNorm, NormLayer, norm_kind
from cnnlab.networks.densenet import DenseBlock, DenseLayer, Transition
from cnnlab.networks.googlenet import AuxiliaryHead
from cnnlab.networks.inception import Inception
from cnnlab.networks.nin import NiNBlock
from cnnlab.networks.residual import (
    Block as ResidualBlock,
)
from cnnlab.networks.residual import (
    Bottleneck,
    PreActivation,
    PreActivationBottleneck,
    Residual,
    ZeroPadded,
)
from cnnlab.networks.vgg import VGGBlock
from cnnlab.words import inside, words

Kind = Literal[
    "terminal",
    "convolution",
    "pooling",
    "normalization",
    "activation",
    "dropout",
    "flatten",
    "fully_connected",
    "meeting",
    "block",
    "other",
]
# One line of a label: pieces that are joined by commas.
Line = tuple[str, ...]

# What is said in the label of the layer that it follows.
RIDERS: tuple[Kind, ...] = ("activation", "dropout")


def counted(number: int, thing: str) -> str:
    """A number and its noun in singular or plural."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def square(size: Any) -> str:
    """A window, given as one side or as two."""
    height, width = size if isinstance(size, tuple) else (size, size)
    return f"{height}×{width}"


def steps_of(stride: int) -> Line:
    """The stride, where it is worth a word."""
    return (f"stride {stride}",) if stride > 1 else ()


def convolution(layer: nn.Conv2d) -> Line:
    return (
        f"{square(layer.kernel_size)} convolution",
        counted(layer.out_channels, "channel"),
        *steps_of(layer.stride[0]),
    )


def adaptive_pooling(layer: nn.AdaptiveAvgPool2d) -> Line:
    if layer.output_size == 1:
        return ("global average pooling",)
    return (f"average pooling to {square(layer.output_size)}",)


def zero_padding(layer: ZeroPadded) -> Line:
    every = ("every second pixel",) if layer.stride > 1 else ()
    return (*every, f"zeros for {counted(layer.new_channels, 'channel')}")


def normalization(layer: NormLayer) -> Line:
    """Batch normalization, and which kind where it is not the usual one."""
    kind = norm_kind(layer)
    return ("batch normalization", *([] if kind == "full" else [inside(words(kind))]))


LAYERS: dict[type[nn.Module], tuple[Kind, Callable[[Any], Line]]] = {
    nn.Conv2d: ("convolution", convolution),
    nn.Linear: ("fully_connected", lambda x: ("fully connected", counted(x.out_features, "unit"))),
    nn.BatchNorm1d: ("normalization", normalization),
    nn.BatchNorm2d: ("normalization", normalization),
    BatchNorm: ("normalization", normalization),
    ZeroPadded: ("other", zero_padding),
    nn.MaxPool2d: (
        "pooling",
        lambda x: (f"{square(x.kernel_size)} max-pooling", f"stride {x.stride}"),
    ),
    nn.AvgPool2d: (
        "pooling",
        lambda x: (f"{square(x.kernel_size)} average pooling", f"stride {x.stride}"),
    ),
    nn.AdaptiveAvgPool2d: ("pooling", adaptive_pooling),
    nn.Dropout: ("dropout", lambda x: (f"dropout {x.p:g}",)),
    nn.Flatten: ("flatten", lambda _: ("flatten",)),
    nn.ReLU: ("activation", lambda _: ("ReLU",)),
    nn.Sigmoid: ("activation", lambda _: ("sigmoid",)),
    nn.Tanh: ("activation", lambda _: ("tanh",)),
    nn.LeakyReLU: ("activation", lambda _: ("leaky ReLU",)),
    nn.GELU: ("activation", lambda _: ("GELU",)),
}


@dataclass(frozen=True)
class Block:
    """How a block is named and what is in it; `stacks`: a row of them shares one node."""

    title: str
    contents: Callable[[Any], tuple[Line, ...]]
    stacks: bool = False


def sequence(block: nn.Sequential) -> tuple[Line, ...]:
    """The layers of a plain sequence, equal ones in a row counted."""
    units: list[Line] = []
    for _, layer in leaves(block):
        kind, (line,) = describe(layer)
        if units and kind in (*RIDERS, "normalization"):
            units[-1] += line
        else:
            units.append(line)
    rows = [(unit, len(list(equal))) for unit, equal in groupby(units)]
    return tuple(unit if n == 1 else times(n, unit) for unit, n in rows)


def times(number: int, line: Line) -> Line:
    """A line in brackets, with a number before it."""
    *most, last = (f"{number} × ({line[0]}", *line[1:])
    return *most, f"{last})"


def paths(block: Inception) -> tuple[Line, ...]:
    """The channels that each path adds to the concatenation."""
    found = [convolutions(path) for path in block.children()]
    channels = [layers[-1].out_channels for layers in found if layers]
    if len(channels) < len(found):
        # A pooling without a 1×1 after it, which is the last path, passes on what it reads.
        channels.append(block.out_channels - sum(channels))
    whole = counted(block.out_channels, "channel")
    return ((f"{' + '.join(map(str, channels))} = {whole}" if len(found) > 1 else whole,),)


def residual(block: ResidualBlock) -> tuple[Line, ...]:
    """Channels and stride of the main path, and what is on the skip."""
    main = [layer for layer in block.children() if isinstance(layer, nn.Conv2d)]
    # In the book's variant the skip is a convolution too.
    main = [layer for layer in main if layer is not block.shortcut]
    size = counted(main[-1].out_channels, "channel"), *steps_of(prod(c.stride[0] for c in main))
    if block.shortcut is None:
        return size, ("no skip",)
    if isinstance(block.shortcut, ZeroPadded):
        return size, ("zero-padded skip",)
    return (
        size,
        *[
            (f"{square(c.kernel_size)} convolution on the skip",)
            for c in convolutions(block.shortcut)
        ],
    )


def dense(block: DenseBlock) -> tuple[Line, ...]:
    """How many layers there are, what each computes and what it adds."""
    layers = list(block.children())
    inside = convolutions(layers[0])
    kernels = " and ".join(square(layer.kernel_size) for layer in inside)
    new = inside[-1].out_channels
    added = f"{counted(new, 'channel')} added by each"
    if block.join == "concatenate":
        added = f"{counted(new, 'new channel')} each"
    return (f"{counted(len(layers), 'layer')} of {kernels} convolution",), (added,)


def convolutions(module: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]


# What is said about a block; one that is not here goes by the name of its class.
BLOCKS: dict[type[nn.Module], Block] = {
    VGGBlock: Block("VGG block", sequence),
    NiNBlock: Block("NiN block", sequence),
    Inception: Block("Inception block", paths, stacks=True),
    AuxiliaryHead: Block("auxiliary head", lambda _: (("in training only",),)),
    Residual: Block("residual block", residual),
    Bottleneck: Block("bottleneck block", residual),
    PreActivation: Block("pre-activation block", residual),
    PreActivationBottleneck: Block("pre-activation bottleneck block", residual),
    DenseBlock: Block("dense block", dense),
    DenseLayer: Block("dense layer", sequence),
    Transition: Block("transition", sequence),
}
FUNCTIONS: dict[str, tuple[Kind, str]] = {
    "add": ("meeting", "addition"),
    "cat": ("meeting", "concatenation"),
    "mul": ("meeting", "multiplication"),
    "relu": ("activation", "ReLU"),
    "sigmoid": ("activation", "sigmoid"),
    "tanh": ("activation", "tanh"),
    "flatten": ("flatten", "flatten"),
}


def block_types() -> tuple[type[nn.Module], ...]:
    """What is drawn as one box: the blocks of all networks of the catalog."""
    return tuple(block for spec in catalog.NETWORKS.values() for block in spec.blocks)


def describe(operation: nn.Module | str, reads: int = 1) -> tuple[Kind, tuple[Line, ...]]:
    """The kind of a layer, block or function, and what is said about it; `reads`: of how many.

    What is in no table is drawn under its own name.
    """
    if isinstance(operation, str):
        kind, name = FUNCTIONS.get(operation, ("meeting" if reads > 1 else "other", operation))
        return kind, ((name,),)
    for layer_type, (kind, line) in LAYERS.items():
        if isinstance(operation, layer_type):
            return kind, (line(operation),)
    for block_type, block in BLOCKS.items():
        if isinstance(operation, block_type):
            return "block", ((block.title,), *block.contents(operation))
    own_name = (type(operation).__name__,)
    if isinstance(operation, block_types()):
        inside = sequence(operation) if isinstance(operation, nn.Sequential) else ()
        return "block", (own_name, *inside)
    return "other", (own_name,)
