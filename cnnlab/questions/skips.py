"""Questions about skips: which of them have weights."""

from dataclasses import dataclass

from cnnlab.questions.question import Kind
from cnnlab.questions.subject import Subject

SHORTCUT = ".shortcut"


@dataclass(frozen=True)
class WeightedSkips(Kind):
    """How many skips have weights, because the shapes differ at their two ends."""

    def applies(self, on: Subject) -> bool:
        return bool(self._skips(on)) and on.configuration.values["shortcut"] == "1x1"

    def text(self, on: Subject) -> str:
        widths = ", ".join(
            f"{len(blocks)} that end with {on.trace.shapes[blocks[-1]][1]:,}"
            for blocks in self._stages(on)
        )
        first = self._stages(on)[0][0]
        return (
            f"The first block reads {self._read(on, first):,} channels. Then follow, stage by "
            f"stage, blocks by the channels that they end with: {widths}. A skip has a 1×1 "
            "convolution only where it has to change the shape. How many skips have one?"
        )

    def answer(self, on: Subject) -> int:
        """Counted in the network."""
        return sum(
            any(True for _ in on.module(block + SHORTCUT).parameters()) for block in self._skips(on)
        )

    def why(self, on: Subject) -> str:
        lines = [
            f"- `{block}`: from {self._read(on, block):,} to {on.trace.shapes[block][1]:,} channels"
            for block in self._skips(on)
            if self._read(on, block) != on.trace.shapes[block][1]
        ]
        return "\n".join([*lines, f"- In all others nothing changes: {self.answer(on)} have one"])

    def _skips(self, on: Subject) -> list[str]:
        """The blocks that have a skip."""
        names = [name for name, _ in on.trace.outline.named_modules() if name.endswith(SHORTCUT)]
        return [name.removesuffix(SHORTCUT) for name in names]

    def _stages(self, on: Subject) -> list[list[str]]:
        found: dict[str, list[str]] = {}
        for block in self._skips(on):
            found.setdefault(block.split(".")[0], []).append(block)
        return list(found.values())

    def _read(self, on: Subject, block: str) -> int:
        """The channels that a block reads."""
        first = next(n for n in on.trace.nodes if n.path.startswith(f"{block}."))
        return first.input_shapes[0][1]
