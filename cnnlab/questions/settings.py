"""Questions that compare a network with the same under other settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cnnlab.configuration import Value
from cnnlab.questions.arithmetic import WEIGHTED, parameters_explained
from cnnlab.questions.numbers import listed, said
from cnnlab.questions.parts import NAMES, Quantity
from cnnlab.questions.question import Kind, OfLayer
from cnnlab.questions.subject import Subject
from cnnlab.summary import Layer

MORE, FEWER = "More", "Fewer"
# Layers whose change is explained one by one.
FEW = 8
# How far a factor may be from the whole number that stands for it.
NEAR = 0.1


@dataclass(frozen=True)
class Difference(Kind):
    """How much more, or less, the network has of something with other settings.

    `shown` are the blocks whose output the question tells, because the answer depends on it.
    """

    given: dict[str, Value]
    lead: str
    shown: tuple[str, ...] = ()
    quantity: Quantity = "params"
    more: bool = True

    def applies(self, on: Subject) -> bool:
        return on.changed(self.given) is not None and self._signed(on) > 0

    def text(self, on: Subject) -> str:
        word = MORE.lower() if self.more else FEWER.lower()
        return (
            f"{self._outputs(on)}. {self.lead} How many {NAMES[self.quantity]} {word} has the "
            "network then?"
        )

    def answer(self, on: Subject) -> int:
        return self._signed(on)

    def why(self, on: Subject) -> str:
        return changes_explained(on, other(on, self.given), self.quantity)

    def _outputs(self, on: Subject) -> str:
        """What the shown blocks make: "`block4` makes 10 maps of 5×5"."""
        shapes = [(path, on.trace.shapes[path]) for path in self.shown if on.has(path)]
        return listed(
            [
                f"`{path}` makes {c:,} maps of {height}×{width}"
                for path, (_, c, height, width) in shapes
            ]
        )

    def _signed(self, on: Subject) -> int:
        now, then = (int(getattr(s.summary, self.quantity)) for s in (on, other(on, self.given)))
        return then - now if self.more else now - then


@dataclass(frozen=True)
class MoreOrFewer(Kind):
    """Whether the network has more or fewer of something with other settings."""

    given: dict[str, Value]
    lead: str
    quantity: Quantity = "params"

    def applies(self, on: Subject) -> bool:
        then = on.changed(self.given)
        return then is not None and self._count(then) != self._count(on)

    def text(self, on: Subject) -> str:  # noqa: ARG002
        return f"{self.lead} Has the network more or fewer {NAMES[self.quantity]} then?"

    def choices(self, on: Subject) -> tuple[str, ...]:  # noqa: ARG002
        return MORE, FEWER

    def answer(self, on: Subject) -> str:
        return MORE if self._count(other(on, self.given)) > self._count(on) else FEWER

    def why(self, on: Subject) -> str:
        return changes_explained(on, other(on, self.given), self.quantity)

    def _count(self, on: Subject) -> int:
        return int(getattr(on.summary, self.quantity))


def other(on: Subject, given: dict[str, Value]) -> Subject:
    """The network with other settings."""
    found = on.changed(given)
    if found is None:
        raise LookupError("There is no such network: `applies` says so.")
    return found


def changes_explained(now: Subject, then: Subject, quantity: Quantity) -> str:
    """The first layers in which two networks differ, and the totals."""
    before, after = (
        {layer.name: layer for layer in subject.summary.layers if getattr(layer, quantity)}
        for subject in (now, then)
    )
    differing = [
        name
        for name in {**before, **after}
        if counted(before, name, quantity) != counted(after, name, quantity)
    ]
    lines = [
        f"- `{name}`: {layer_explained(then, after, name, quantity)} instead of "
        f"{layer_explained(now, before, name, quantity)}"
        for name in differing[:FEW]
    ]
    if len(differing) > FEW:
        lines.append(f"- and so on in {len(differing) - FEW} further layers")
    a, b = (getattr(subject.summary, quantity) for subject in (now, then))
    word = "more" if b > a else "fewer"
    return "\n".join([*lines, f"- together: {b:,} instead of {a:,}, that is {abs(b - a):,} {word}"])


def counted(found: Mapping[str, Layer], name: str, quantity: Quantity) -> int:
    return int(getattr(found[name], quantity)) if name in found else 0


def layer_explained(on: Subject, found: Mapping[str, Layer], name: str, quantity: Quantity) -> str:
    """What a layer has, with the arithmetic of its parameters; 0 where there is no such layer."""
    count = counted(found, name, quantity)
    if not count or quantity != "params" or not on.node(name).is_module:
        return f"{count:,}"
    return f"{parameters_explained(on.module(name))} = {count:,}"


Doubling = Callable[[Subject], dict[str, Value]]


def doubled(knob: str) -> Doubling:
    """The network with twice as much of a knob."""
    return lambda on: {knob: 2 * on.number(knob)}


@dataclass(frozen=True)
class Factor(OfLayer):
    """How many times as many parameters a layer has with twice as much of something."""

    given: Doubling
    lead: str
    factors: tuple[int, ...] = field(default=(1, 2, 4, 8))

    def applies(self, on: Subject) -> bool:
        if not super().applies(on) or not isinstance(on.module(self.path(on)), WEIGHTED):
            return False
        then = on.changed(self.given(on))
        if then is None or not then.has(self.path(on)) or not self._count(on):
            return False
        ratio = self._ratio(on)
        return any(abs(ratio - factor) <= NEAR * factor for factor in self.factors)

    def text(self, on: Subject) -> str:
        return (
            f"{self.lead} About how many times as many parameters has `{self.path(on)}` then, "
            f"which reads {on.node(self.path(on)).input_shapes[0][1]:,} channels now?"
        )

    def choices(self, on: Subject) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(self._said(factor) for factor in self.factors)

    def answer(self, on: Subject) -> str:
        return self._said(min(self.factors, key=lambda factor: abs(factor - self._ratio(on))))

    def why(self, on: Subject) -> str:
        then, path = other(on, self.given(on)), self.path(on)
        now_said, then_said = (
            f"{parameters_explained(s.module(path))} = {self._count(s):,}" for s in (on, then)
        )
        return f"{then_said} instead of {now_said}: {said(round(self._ratio(on), 2))} times."

    def _count(self, on: Subject) -> int:
        return on.node(self.path(on)).params

    def _ratio(self, on: Subject) -> float:
        return self._count(other(on, self.given(on))) / self._count(on)

    def _said(self, factor: int) -> str:
        return "As many" if factor == 1 else f"{factor} times as many"
