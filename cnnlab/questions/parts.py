"""Questions that compare parts of a network: which has the most, which takes more."""

from dataclasses import dataclass
from typing import Literal

from cnnlab.questions.arithmetic import described
from cnnlab.questions.counts import is_convolution, macs_explained
from cnnlab.questions.question import Kind, LayerChoice
from cnnlab.questions.subject import Subject
from cnnlab.summary import Layer

Quantity = Literal["params", "macs"]
NAMES: dict[Quantity, str] = {"params": "parameters", "macs": "multiply-accumulates"}
EQUAL = "Both the same"


@dataclass(frozen=True)
class Part:
    """Some layers of a network: those of an operation, or those below one of the paths."""

    label: str
    paths: tuple[str, ...] = ()
    operation: str = ""

    def holds(self, layer: Layer) -> bool:
        if self.operation:
            return layer.kind == self.operation
        return any(layer.name == path or layer.name.startswith(f"{path}.") for path in self.paths)


def parts(*paths: str) -> tuple[Part, ...]:
    """Blocks or layers, each under its own name."""
    return tuple(Part(f"`{path}`", (path,)) for path in paths)


CONVOLUTIONS_OR_LINEAR = (
    Part("The convolutions", operation="Conv2d"),
    Part("The fully-connected layers", operation="Linear"),
)


@dataclass(frozen=True)
class Most(Kind):
    """Which part of the network has the most of something."""

    quantity: Quantity
    parts: tuple[Part, ...]
    # Whether the question says what the parts are made of.
    detailed: bool = False

    def applies(self, on: Subject) -> bool:
        counts = sorted(self._counts(on).values())
        return len(counts) > 1 and counts[-1] > counts[-2]

    def text(self, on: Subject) -> str:
        takes = {"params": "holds", "macs": "takes"}[self.quantity]
        asked = f"Which of these parts of the network {takes} the most {NAMES[self.quantity]}?"
        if not self.detailed:
            return f"The picture has {on.picture}. {asked}"
        lines = [
            f"- {part.label}: "
            + ", then ".join(described(on.module(la.name)) for la in layers if la.params)
            for part, layers in self._layers(on).items()
        ]
        return "\n".join([asked, "", *lines])

    def choices(self, on: Subject) -> tuple[str, ...]:
        return tuple(self._counts(on))

    def answer(self, on: Subject) -> str:
        counts = self._counts(on)
        return max(counts, key=counts.__getitem__)

    def why(self, on: Subject) -> str:
        total = getattr(on.summary, self.quantity)
        lines = [
            f"- {label}: {count:,}, {share(count, total)}"
            for label, count in self._counts(on).items()
        ]
        return "\n".join([*lines, f"- The whole network: {total:,} {NAMES[self.quantity]}"])

    def _counts(self, on: Subject) -> dict[str, int]:
        """What there is of each part that the network has."""
        return {
            part.label: sum(getattr(layer, self.quantity) for layer in layers)
            for part, layers in self._layers(on).items()
        }

    def _layers(self, on: Subject) -> dict[Part, list[Layer]]:
        found = {part: [la for la in on.summary.layers if part.holds(la)] for part in self.parts}
        return {part: layers for part, layers in found.items() if layers}


def share(count: int, total: int) -> str:
    """A part of a whole in per cent; nothing is rounded to all or to nothing."""
    percent = 100 * count / total
    if 0 < percent < 1:
        return "less than 1%"
    return "more than 99%" if 99 < percent < 100 else f"{percent:.0f}%"


@dataclass(frozen=True)
class Compare(Kind):
    """Which of two convolutions takes more multiply-accumulates."""

    first: LayerChoice
    second: LayerChoice

    def applies(self, on: Subject) -> bool:
        found = [self.first(on), self.second(on)]
        return all(path is not None and is_convolution(on, path) for path in found)

    def text(self, on: Subject) -> str:
        layers = "; ".join(
            f"`{path}` is {described(on.module(path)).split(',')[0]} on {self._pixels(on, path)}"
            for path in self._paths(on)
        )
        return f"{layers}. Which of the two takes more multiply-accumulates for one picture?"

    def choices(self, on: Subject) -> tuple[str, ...]:
        return (*(f"`{path}`" for path in self._paths(on)), EQUAL)

    def answer(self, on: Subject) -> str:
        (one, two), paths = (on.node(path).macs for path in self._paths(on)), self._paths(on)
        if one == two:
            return EQUAL
        return f"`{paths[0] if one > two else paths[1]}`"

    def why(self, on: Subject) -> str:
        return "\n".join(f"- `{path}`: {macs_explained(on, path)}" for path in self._paths(on))

    def _paths(self, on: Subject) -> list[str]:
        return [path for choice in (self.first, self.second) if (path := choice(on))]

    def _pixels(self, on: Subject, path: str) -> str:
        _, _, height, width = on.node(path).output_shape
        return f"{height}×{width} pixels"
