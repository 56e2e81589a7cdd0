"""Questions about channels: what concatenation and compression make of them."""

import math
from dataclasses import dataclass

from cnnlab.questions.numbers import listed, said
from cnnlab.questions.question import OfLayer
from cnnlab.questions.subject import Subject


def concatenations(on: Subject, block: str) -> list[tuple[int, ...]]:
    """The channels that each concatenation of a block puts side by side."""
    return [
        tuple(shape[1] for shape in node.input_shapes)
        for node in on.trace.nodes
        if node.path == block and node.operation == "cat"
    ]


@dataclass(frozen=True)
class Concatenated(OfLayer):
    """The channels of a block whose paths are put side by side once."""

    def applies(self, on: Subject) -> bool:
        return super().applies(on) and len(concatenations(on, self.path(on))) == 1

    def text(self, on: Subject) -> str:
        (parts,) = concatenations(on, self.path(on))
        return (
            f"The paths of `{self.path(on)}` make {listed([f'{part:,}' for part in parts])} "
            "channels. How many channels has the output of the block?"
        )

    def answer(self, on: Subject) -> int:
        return on.trace.shapes[self.path(on)][1]

    def why(self, on: Subject) -> str:
        (parts,) = concatenations(on, self.path(on))
        return f"{' + '.join(f'{part:,}' for part in parts)} = {self.answer(on):,}."


@dataclass(frozen=True)
class Grown(OfLayer):
    """The channels after a dense block, each layer of which adds some."""

    def applies(self, on: Subject) -> bool:
        return super().applies(on) and len(concatenations(on, self.path(on))) > 1

    def text(self, on: Subject) -> str:
        (first, growth), *more = concatenations(on, self.path(on))
        return (
            f"`{self.path(on)}` reads {first:,} channels. It has {1 + len(more)} layers, and each "
            f"puts {growth:,} new channels beside all that it has read. How many channels leave "
            "the block?"
        )

    def answer(self, on: Subject) -> int:
        return on.trace.shapes[self.path(on)][1]

    def why(self, on: Subject) -> str:
        (first, growth), *more = concatenations(on, self.path(on))
        return f"{first:,} + {1 + len(more)}·{growth:,} = {self.answer(on):,}."


@dataclass(frozen=True)
class Compressed(OfLayer):
    """The channels that a transition keeps, rounded down."""

    def applies(self, on: Subject) -> bool:
        # Where a share of a tenth is no number of the computer, rounding can go another way.
        return super().applies(on) and math.floor(round(self._kept(on), 6)) == self.answer(on)

    def text(self, on: Subject) -> str:
        return (
            f"`{self.path(on)}` reads {self._read(on):,} channels. The compression is "
            f"{self._share(on):g}. How many channels leave it?"
        )

    def answer(self, on: Subject) -> int:
        return on.trace.shapes[self.path(on)][1]

    def why(self, on: Subject) -> str:
        kept = round(self._kept(on), 6)
        rounded = "" if kept == self.answer(on) else f", rounded down to {self.answer(on):,}"
        return f"{self._read(on):,} · {self._share(on):g} = {said(kept)}{rounded}."

    def _read(self, on: Subject) -> int:
        path = self.path(on)
        first = next(node for node in on.trace.nodes if node.path.startswith(f"{path}."))
        return first.input_shapes[0][1]

    def _share(self, on: Subject) -> float:
        return float(on.configuration.values["compression"] or 0)

    def _kept(self, on: Subject) -> float:
        return self._read(on) * self._share(on)


@dataclass(frozen=True)
class Readings(OfLayer):
    """How often the layers of a dense block read the block's input or each other."""

    def applies(self, on: Subject) -> bool:
        return super().applies(on) and len(concatenations(on, self.path(on))) > 1

    def text(self, on: Subject) -> str:
        return (
            f"Each of the {self._layers(on)} layers of `{self.path(on)}` reads the input of the "
            "block and what all layers before it have made. Draw an arrow for each such reading. "
            "How many arrows are there?"
        )

    def answer(self, on: Subject) -> int:
        """Counted in the trace: a layer reads the block's input and as many growths as it can."""
        found = concatenations(on, self.path(on))
        first, growth = found[0]
        return sum(1 + (read - first) // growth for read, _ in found)

    def why(self, on: Subject) -> str:
        layers = self._layers(on)
        terms = [str(n) for n in range(1, layers + 1)]
        if layers > 6:
            terms = [*terms[:2], "…", terms[-1]]
        return f"{' + '.join(terms)} = {self.answer(on)}, which is {layers}·{layers + 1} / 2."

    def _layers(self, on: Subject) -> int:
        return len(concatenations(on, self.path(on)))
