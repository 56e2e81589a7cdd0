"""Kinds of figure that an exercise reads: off a run, off the layer table, off feature maps."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from torch import Tensor

from cnnlab.summary import Summary
from cnnlab.training.events import Finished

# Feature maps by layer, as `cnnlab.features.extract` gives them.
Maps = Mapping[str, Tensor]


@dataclass(frozen=True)
class OfRun:
    """A figure of a run's end; `failed` stands for it where the loss became no number."""

    name: str
    read: Callable[[Finished], float]
    failed: float
    format: str = ".2f"


@dataclass(frozen=True)
class OfTable:
    """A count in the layer table of a network, for one picture."""

    name: str
    read: Callable[[Summary], float]
    format: str = ",.0f"


@dataclass(frozen=True)
class OfMaps:
    """A statistic of the maps that a network makes of a picture, fresh or after a run."""

    name: str
    read: Callable[[Maps, Tensor], float]
    trained: bool = False
    format: str = ".2f"


Measure = OfRun | OfTable | OfMaps

TEST_ACCURACY = OfRun("test accuracy", lambda end: end.test_accuracy or 0.0, failed=0.0)
TRAIN_LOSS = OfRun(
    "training loss",
    lambda end: float("inf") if end.train_loss is None else end.train_loss,
    failed=float("inf"),
)
ACCURACY_GAP = OfRun(
    "training minus test accuracy",
    lambda end: (end.train_accuracy or 0.0) - (end.test_accuracy or 0.0),
    failed=float("nan"),
)
# The loss of a guess among ten classes is ln 10 = 2.303.
CHANCE_LOSS = (2.28, 2.33)
PARAMS = OfTable("parameters", lambda table: table.params)
MACS = OfTable("multiply-accumulates", lambda table: table.macs)
MEMORY = OfTable("bytes of activations", lambda table: table.activation_bytes)


def params_of(*blocks: str) -> OfTable:
    """The parameters of layers, or of all layers inside blocks."""
    return OfTable(
        f"parameters of {', '.join(blocks)}",
        lambda table: sum(layer.params for layer in table.layers if is_in(layer.name, blocks)),
    )


def share_of_params(part: str, whole: str) -> OfTable:
    """The share of a block's parameters that lies in a part of it."""
    of_part, of_whole = params_of(part), params_of(whole)
    return OfTable(
        f"share of the parameters of {whole} in {part}",
        lambda table: of_part.read(table) / of_whole.read(table),
        format=".2f",
    )


def is_in(layer: str, blocks: Collection[str]) -> bool:
    """Whether a layer is one of these, or inside one."""
    return any(layer == block or layer.startswith(f"{block}.") for block in blocks)


def most_params(layer: str) -> OfTable:
    """1 where this layer has more parameters than any other, else 0."""
    return OfTable(
        f"most parameters in {layer} (1: yes)",
        lambda table: float(max(table.layers, key=lambda one: one.params).name == layer),
    )


def most_macs(layer: str) -> OfTable:
    """1 where this layer multiplies more than any other, else 0."""
    return OfTable(
        f"most multiply-accumulates in {layer} (1: yes)",
        lambda table: float(max(table.layers, key=lambda one: one.macs).name == layer),
    )
