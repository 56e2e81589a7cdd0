"""Questions about counts: parameters and multiply-accumulates of a layer or a part."""

from dataclasses import dataclass, field

from torch import nn

from cnnlab.configuration import Value
from cnnlab.questions.arithmetic import WEIGHTED, described, parameters_explained
from cnnlab.questions.question import OfLayer
from cnnlab.questions.subject import Subject
from cnnlab.receptive_field import side


@dataclass(frozen=True)
class Parameters(OfLayer):
    """The parameters of a convolution or a fully-connected layer.

    With `given`, of that layer if some settings were others, as `lead` says.
    """

    given: dict[str, Value] = field(default_factory=dict)
    lead: str = ""

    def applies(self, on: Subject) -> bool:
        found = self._of(on)
        if found is None or not super().applies(found):
            return False
        return isinstance(found.module(self.path(found)), WEIGHTED)

    def text(self, on: Subject) -> str:
        found = self._found(on)
        path = self.path(found)
        verb, question = ("is", "How many parameters has it?")
        if self.given:
            verb, question = ("would be", "How many parameters would it have?")
        text = f"`{path}` {verb} {described(found.module(path))}. {question}"
        return f"{self.lead} {text}" if self.lead else text

    def answer(self, on: Subject) -> int:
        found = self._found(on)
        return found.node(self.path(found)).params

    def why(self, on: Subject) -> str:
        found = self._found(on)
        path = self.path(found)
        return f"{parameters_explained(found.module(path))} = {self.answer(on):,}."

    def _of(self, on: Subject) -> Subject | None:
        return on.changed(self.given) if self.given else on

    def _found(self, on: Subject) -> Subject:
        found = self._of(on)
        if found is None:
            raise LookupError("There is no such network: `applies` says so.")
        return found


@dataclass(frozen=True)
class PartParameters(OfLayer):
    """The parameters of several layers in a row, such as a path of an Inception block."""

    def applies(self, on: Subject) -> bool:
        return super().applies(on) and len(self._layers(on)) > 1

    def text(self, on: Subject) -> str:
        parts = ", then ".join(described(on.module(path)) for path in self._layers(on))
        return f"`{self.path(on)}` is {parts}. How many parameters has it?"

    def answer(self, on: Subject) -> int:
        return sum(on.node(path).params for path in self._layers(on))

    def why(self, on: Subject) -> str:
        paths = self._layers(on)
        lines = [
            f"- `{path}`: {parameters_explained(on.module(path))} = {on.node(path).params:,}"
            for path in paths
        ]
        return "\n".join([*lines, f"- together: {self.answer(on):,}"])

    def _layers(self, on: Subject) -> list[str]:
        part = f"{self.path(on)}."
        nodes = on.trace.nodes
        return [node.path for node in nodes if node.path.startswith(part) and node.params]


@dataclass(frozen=True)
class Multiplications(OfLayer):
    """The multiply-accumulates of a convolution or a fully-connected layer, for one picture."""

    def applies(self, on: Subject) -> bool:
        return super().applies(on) and is_convolution(on, self.path(on))

    def text(self, on: Subject) -> str:
        path = self.path(on)
        _, channels, height, width = on.node(path).output_shape
        return (
            f"`{path}` is {described(on.module(path)).split(',')[0]}; its output has {channels:,} "
            f"maps of {height}×{width}. How many multiply-accumulates does it take for one picture?"
        )

    def answer(self, on: Subject) -> int:
        return on.node(self.path(on)).macs

    def why(self, on: Subject) -> str:
        return f"{macs_explained(on, self.path(on))}."


def is_convolution(on: Subject, path: str) -> bool:
    return isinstance(on.module(path), nn.Conv2d)


def convolution(on: Subject, path: str) -> nn.Conv2d:
    module = on.module(path)
    if not isinstance(module, nn.Conv2d):
        raise LookupError("This is no convolution: `applies` says so.")
    return module


def macs_explained(on: Subject, path: str) -> str:
    """How the multiply-accumulates of a convolution are counted."""
    module, node = convolution(on, path), on.node(path)
    _, channels, height, width = node.output_shape
    k, values = side(module.kernel_size), channels * height * width
    one = f"{k}·{k}·{module.in_channels:,} = {k * k * module.in_channels:,} for one value"
    return (
        f"{one}, and {channels:,}·{height}·{width} = {values:,} values: "
        f"{k * k * module.in_channels:,} · {values:,} = {node.macs:,}"
    )


@dataclass(frozen=True)
class Stacked(OfLayer):
    """What two convolutions in a row save against one that sees as much."""

    def applies(self, on: Subject) -> bool:
        return super().applies(on) and is_convolution(on, self.path(on))

    def text(self, on: Subject) -> str:
        k, wide, channels = self._sizes(on)
        return (
            f"Two {k}×{k} convolutions in a row see as much as one of {wide}×{wide}. Take "
            f"{channels:,} channels in and out everywhere, as `{self.path(on)}` makes, and no "
            "biases. How many weights do the two have less than the one?"
        )

    def answer(self, on: Subject) -> int:
        k, wide, channels = self._sizes(on)
        return (wide**2 - 2 * k**2) * channels**2

    def why(self, on: Subject) -> str:
        k, wide, channels = self._sizes(on)
        square = f"{channels:,}·{channels:,}"
        one, two = wide**2 * channels**2, 2 * k**2 * channels**2
        return (
            f"One of {wide}×{wide} has {wide}·{wide}·{square} = {one:,}, two of {k}×{k} have "
            f"2·{k}·{k}·{square} = {two:,}. That is {self.answer(on):,} less."
        )

    def _sizes(self, on: Subject) -> tuple[int, int, int]:
        module = convolution(on, self.path(on))
        k = side(module.kernel_size)
        return k, 2 * k - 1, module.out_channels
