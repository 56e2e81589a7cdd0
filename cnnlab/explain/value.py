"""One value of a network taken apart: the numbers that it was made of."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from cnnlab.errors import ConfigError
from cnnlab.explain.arithmetic import (
    Activation,
    Arithmetic,
    Combined,
    Dropout,
    Joined,
    Normalization,
    Passed,
)
from cnnlab.explain.capture import Captured, capture
from cnnlab.explain.operations import OPERATIONS, Index
from cnnlab.explain.receptive import Place
from cnnlab.features import NoWeights
from cnnlab.networks.batch_norm import BatchNorm
from cnnlab.trace import INPUT, Trace


@dataclass(frozen=True)
class Value:
    """One value as the network made it, and the arithmetic that gives it again."""

    captured: Captured
    place: Place
    arithmetic: Arithmetic

    @property
    def index(self) -> Index:
        """Where it stands in the node's output."""
        return self.place.index(tuple(self.captured.output.shape))

    @property
    def given(self) -> float:
        """The network's own number."""
        return float(self.captured.output[self.index])


def take_apart(model: nn.Module, batch: Tensor, node: int, place: Place) -> Value:
    """The arithmetic of one value of a node of the trace, in prediction.

    Shape: `batch` (1, C, H, W).
    Raises: ConfigError when the picture does not fit, for a node or a place that is not there, or
    for a function of which nothing is known.
    """
    with torch.no_grad():
        captured = capture(model, batch, node)
        return value(captured, place)


def value(captured: Captured, place: Place) -> Value:
    """The same of a node that has run, for as many places as are asked for.

    Raises: ConfigError for a place that is not there, or a function of which nothing is known.
    """
    captured = replace(captured, output=captured.output.detach())
    return Value(captured, place, arithmetic(captured, place.index(tuple(captured.output.shape))))


def origins(found: Trace, node: int, value: Value) -> tuple[tuple[int, Place], ...]:
    """The values that this one was made of, where they are few: nodes of the trace and places.

    A value of a window, or of all features, is made of many: there are none then.
    """
    sources, made = found.sources(node), value.arithmetic
    match made:
        case Activation() | Normalization() | Dropout():
            return tuple((source, value.place) for source in sources[:1])
        case Combined():
            shape = found.nodes[node].output_shape
            alike = [s for s in sources if found.nodes[s].output_shape == shape]
            return tuple((source, value.place) for source in alike)
        case Joined() if len(sources) == len(made.sizes):
            return ((sources[made.part], replace(value.place, channel=made.channel)),)
        case Passed() if made.source and sources:
            return ((sources[0], Place(*made.source[1:])),)
    return ()


def arithmetic(captured: Captured, at: Index) -> Arithmetic:
    """How a value of the output was made."""
    module, calls = captured.module, captured.calls
    if captured.node.operation == INPUT:
        return Passed(at, float(captured.output[at]))
    if isinstance(module, BatchNorm) and captured.node.is_module:
        return normalization(module, captured.read[0], at)
    if isinstance(module, NoWeights):
        raise ConfigError(
            "The fully-connected layers of this network are too large to be loaded here. Choose "
            "one of its maps, or a narrower network."
        )
    if any(call.name not in OPERATIONS for call in calls):
        raise unknown(captured)
    *before, last = calls
    found = OPERATIONS[last.name](at, *last.args, **last.kwargs)
    # A module may move values by several functions, as a skip without weights does.
    for call in reversed(before):
        if not isinstance(found, Passed):
            raise unknown(captured)
        if found.source:
            found = OPERATIONS[call.name](found.source, *call.args, **call.kwargs)
    return found


def unknown(captured: Captured) -> ConfigError:
    return ConfigError(
        f"{captured.node.operation} is not taken apart here. Choose a convolution, a pooling, an "
        "activation, batch norm, a sum, a concatenation or a fully-connected layer."
    )


def normalization(module: BatchNorm, x: Tensor, at: Index) -> Normalization:
    """One value of the batch norm that is written out, whose kinds leave parts away."""
    channel = at[1]
    if module.kind == "batch_statistics":
        values = x[:, channel].double()
        mean, variance = float(values.mean()), float(values.var(correction=0))
    else:
        mean, variance = float(module.running_mean[channel]), float(module.running_var[channel])
    return Normalization(
        float(x[at]),
        0.0 if module.kind == "variance_only" else mean,
        1.0 if module.kind == "mean_only" else (variance + module.eps) ** 0.5,
        float(module.gamma.detach()[channel]),
        float(module.beta.detach()[channel]),
    )
