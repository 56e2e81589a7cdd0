"""The numbers of the layer table as formulas: size, parameters, multiplications, memory."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from cnnlab.networks.batch_norm import NormLayer
from cnnlab.receptive_field import side
from cnnlab.summary import BYTES_PER_VALUE, Layer
from cnnlab.trace import Trace

Windowed = nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d
ADAPTIVE = nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d
AXES = ("Rows", "Columns")
HEADER = "| | Rule | With numbers | Result |\n|---|---|---|---:|"


@dataclass(frozen=True)
class Formula:
    """What a number of the table is called, its rule, and the rule with the numbers put in."""

    name: str
    rule: str
    numbers: str
    value: int


def formulas(found: Trace, layer: Layer) -> tuple[Formula, ...]:
    """How every number in a layer's row comes about, for one picture.

    A function that a block calls itself has no module: its size and memory alone are explained.
    """
    modules = dict(found.outline.named_modules())
    module = modules.get(layer.name)
    return (
        *shape(module, layer),
        *([] if module is None else [params(module, layer), macs(module, layer)]),
        memory(layer),
    )


def as_markdown(layer: Layer, rows: tuple[Formula, ...]) -> str:
    """A layer's formulas as a table to be pasted elsewhere."""
    lines = [f"| {r.name} | {r.rule} | {r.numbers} | {r.value:,} |" for r in rows]
    return "\n".join([f"**{layer.name}** ({layer.kind})", "", HEADER, *lines])


def shape(module: nn.Module | None, layer: Layer) -> Iterator[Formula]:
    """Channels, rows and columns, or features."""
    before, after = layer.input_shape, layer.output_shape
    if len(after) < 3:
        yield features(module, layer)
        return
    if isinstance(module, nn.Conv2d):
        yield Formula("Channels", "filters", str(module.out_channels), after[1])
    elif before[1:2] == after[1:2]:
        yield Formula("Channels", "as before", str(before[1]), after[1])
    else:
        yield Formula("Channels", "as the layer makes", str(after[1]), after[1])
    for name, n, result in zip(AXES, before[2:], after[2:], strict=False):
        if isinstance(module, Windowed):
            yield moved(name, module, n, result)
        elif isinstance(module, ADAPTIVE):
            yield Formula(name, "as asked for", str(result), result)
        else:
            rule = "as before" if n == result else "as the layer makes"
            yield Formula(name, rule, str(result), result)


def features(module: nn.Module | None, layer: Layer) -> Formula:
    """How many values a layer without height and width makes."""
    value = layer.output_shape[-1]
    if isinstance(module, nn.Linear):
        return Formula("Features", "units", str(module.out_features), value)
    if len(layer.input_shape) == 4 and isinstance(module, nn.Flatten):
        return Formula("Features", "c · rows · columns", product(layer.input_shape[1:]), value)
    return Formula("Features", "as before", str(value), value)


def moved(name: str, module: Windowed, n: int, result: int) -> Formula:
    """Over how many places a window moves along one side of `n` values."""
    if module.padding == "same":
        return Formula(name, "padded to stay as before", str(result), result)
    padding = 0 if isinstance(module.padding, str) else side(module.padding)
    k, step, apart = (
        side(size) for size in (module.kernel_size, module.stride, getattr(module, "dilation", 1))
    )
    room, numbers = ("n + 2p", f"{n} + 2 · {padding}") if padding else ("n", str(n))
    span, spans = ("k", str(k)) if apart == 1 else ("d · (k − 1) − 1", f"{apart} · ({k} − 1) − 1")
    rounds_up = getattr(module, "ceil_mode", False)
    left, right = "⌈⌉" if rounds_up else "⌊⌋"
    rule = f"{left}({room} − {span}) / s{right} + 1"
    numbers = f"{left}({numbers} − {spans}) / {step}{right} + 1"
    reach = n + 2 * padding - apart * (k - 1) - 1
    if rounds_up and -(-reach // step) == result:
        # PyTorch leaves a window out that would begin beside the map.
        rule, numbers = f"{rule} − 1 that would begin beside the map", f"{numbers} − 1"
    return Formula(name, rule, numbers, result)


def params(module: nn.Module, layer: Layer) -> Formula:
    """Weights and biases, or the scales and shifts of a normalization."""
    name = "Parameters"
    bias = getattr(module, "bias", None) is not None
    if isinstance(module, nn.Conv2d):
        rule = "c_out · (c_in · k · k + 1)" if bias else "c_out · c_in · k · k"
        inner = product((module.in_channels // module.groups, *module.kernel_size))
        return Formula(name, rule, weighted(module.out_channels, inner, bias), layer.params)
    if isinstance(module, nn.Linear):
        rule = "out · (in + 1)" if bias else "out · in"
        inner = str(module.in_features)
        return Formula(name, rule, weighted(module.out_features, inner, bias), layer.params)
    if isinstance(module, NormLayer) and layer.params:
        return Formula(name, "γ and β: 2 · c", f"2 · {layer.params // 2}", layer.params)
    return Formula(name, "none", "0", layer.params)


def weighted(outputs: int, inner: str, bias: bool) -> str:
    return f"{outputs} · ({inner} + 1)" if bias else f"{outputs} · {inner}"


def macs(module: nn.Module, layer: Layer) -> Formula:
    """One multiplication for every weight at every place."""
    name = "MACs"
    if isinstance(module, nn.Conv2d):
        k = side(module.kernel_size)
        parts = (*layer.output_shape[1:], module.in_channels // module.groups, k, k)
        return Formula(name, "c_out · rows · columns · c_in · k · k", product(parts), layer.macs)
    if isinstance(module, nn.Linear):
        parts = (module.out_features, module.in_features)
        return Formula(name, "out · in", product(parts), layer.macs)
    return Formula(name, "no weights to multiply with", "0", layer.macs)


def memory(layer: Layer) -> Formula:
    """The output in single precision. Units: bytes."""
    parts = (*layer.output_shape[1:], BYTES_PER_VALUE)
    return Formula("Memory (bytes)", "values · 4", product(parts), layer.activation_bytes)


def product(parts: tuple[int, ...]) -> str:
    return " · ".join(map(str, parts))
