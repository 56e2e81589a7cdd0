"""The layer table of a model as data: shapes, parameters, compute, receptive field, memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from torch import nn

from cnnlab.trace import Node, Shape, Trace, trace

# Single precision.
BYTES_PER_VALUE = 4


@dataclass(frozen=True)
class Layer:
    """One row of the table.

    Units: `macs` are multiply-accumulates of convolutions and fully-connected layers for the
    whole batch, `receptive_field` pixels of the input per side, `activation_bytes` the output.
    `training_only`: in prediction it does not run.
    """

    name: str
    kind: str
    input_shape: Shape
    output_shape: Shape
    params: int
    macs: int
    receptive_field: int
    activation_bytes: int
    training_only: bool = False


@dataclass(frozen=True)
class Summary:
    """The layers in the order in which they run, and their totals."""

    layers: tuple[Layer, ...]

    @property
    def params(self) -> int:
        return sum(layer.params for layer in self.layers)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def activation_bytes(self) -> int:
        return sum(layer.activation_bytes for layer in self.layers)


def summarize(model: nn.Module, input_shape: Sequence[int]) -> Summary:
    """Describe every layer of `model` for a batch of the given shape.

    Shape: `input_shape` is (N, C, H, W).
    Raises: ConfigError when the picture does not fit the network.
    """
    return layers(trace(model, input_shape))


def layers(found: Trace) -> Summary:
    """The layers of a trace: its modules, and functions that have weights or multiply."""
    return Summary(
        tuple(layer(node) for node in found.nodes if node.is_module or node.params or node.macs)
    )


def layer(node: Node) -> Layer:
    """A node as a row of the table."""
    path = (node.path,) if node.is_module else (node.path, node.operation)
    return Layer(
        name=".".join(part for part in path if part),
        kind=node.operation,
        input_shape=node.input_shapes[0] if node.input_shapes else (),
        output_shape=node.output_shape,
        params=node.params,
        macs=node.macs,
        receptive_field=node.receptive_field,
        activation_bytes=BYTES_PER_VALUE * prod(node.output_shape),
        training_only=node.training_only,
    )
