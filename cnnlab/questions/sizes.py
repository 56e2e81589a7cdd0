"""Questions about sizes: sides of maps, receptive fields, the smallest picture."""

from dataclasses import dataclass

from cnnlab.questions.arithmetic import Window, windows_said
from cnnlab.questions.question import OfLayer
from cnnlab.questions.subject import Subject

ADAPTIVE = "AdaptiveAvgPool2d"


@dataclass(frozen=True)
class OutputSide(OfLayer):
    """The side that one layer makes of the side that it reads."""

    def applies(self, on: Subject) -> bool:
        return super().applies(on) and on.window(self.path(on)) is not None

    def text(self, on: Subject) -> str:
        path = self.path(on)
        (read, *_), window = on.node(path).input_shapes, self._window(on)
        return (
            f"`{path}` reads {read[2]}×{read[3]} pixels through a window of {window.described()}. "
            "How many pixels per side has its output?"
        )

    def answer(self, on: Subject) -> int:
        return on.node(self.path(on)).output_shape[2]

    def why(self, on: Subject) -> str:
        return f"{self._window(on).explained(on.node(self.path(on)).input_shapes[0][2])}."

    def _window(self, on: Subject) -> Window:
        window = on.window(self.path(on))
        if window is None:
            raise LookupError("This layer has no window: `applies` says so.")
        return window


@dataclass(frozen=True)
class SideAfter(OfLayer):
    """The side of the maps that leave a block, all the way from the picture."""

    def applies(self, on: Subject) -> bool:
        if not super().applies(on):
            return False
        way = on.way(self.path(on))
        return len(changing(on, self.path(on))) > 1 and all(n.operation != ADAPTIVE for n in way)

    def text(self, on: Subject) -> str:
        path = self.path(on)
        steps = windows_said([(n, window.described()) for n, _, window in changing(on, path)])
        return (
            f"The picture has {on.picture}. On the way through `{path}` its side changes in "
            f"{steps}. How many pixels per side do the maps have that leave `{path}`?"
        )

    def answer(self, on: Subject) -> int:
        return on.trace.shapes[self.path(on)][2]

    def why(self, on: Subject) -> str:
        return "\n".join(
            f"- `{name}`: {window.explained(n)}" for name, n, window in changing(on, self.path(on))
        )


def changing(on: Subject, path: str) -> list[tuple[str, int, Window]]:
    """The layers that change the side on the way to another, each with the side that it reads."""
    return [
        (node.path, node.input_shapes[0][2], window)
        for node, window in on.windows(path)
        if node.input_shapes[0][2] != node.output_shape[2]
    ]


@dataclass(frozen=True)
class FirstFlattened(OfLayer):
    """How many values the first fully-connected layer reads, from the last window before it."""

    def applies(self, on: Subject) -> bool:
        if not super().applies(on):
            return False
        way = on.way(self.path(on))
        return bool(on.windows(self.path(on))) and all(n.operation != ADAPTIVE for n in way)

    def text(self, on: Subject) -> str:
        node, window = on.windows(self.path(on))[-1]
        _, channels, height, width = node.input_shapes[0]
        return (
            f"`{node.path}` is the last window before the fully-connected layers: it reads "
            f"{channels:,} maps of {height}×{width} through a window of {window.described()}, "
            f"and makes {node.output_shape[1]:,} maps. How many values does `{self.path(on)}` read?"
        )

    def answer(self, on: Subject) -> int:
        return on.node(self.path(on)).input_shapes[0][1]

    def why(self, on: Subject) -> str:
        node, window = on.windows(self.path(on))[-1]
        _, channels, height, width = node.output_shape
        return (
            f"{window.explained(node.input_shapes[0][2])}. All pixels of all maps: "
            f"{channels:,}·{height}·{width} = {channels * height * width:,}."
        )


@dataclass(frozen=True)
class ReceptiveField(OfLayer):
    """How many pixels of the picture one value of a layer sees, per side."""

    def applies(self, on: Subject) -> bool:
        if not super().applies(on):
            return False
        path = self.path(on)
        steps = seeing(on, path)
        return len(steps) > 1 and steps[-1][2] == on.node(path).receptive_field

    def text(self, on: Subject) -> str:
        path = self.path(on)
        steps = windows_said(
            [(name, window.described(padding=False)) for name, window, _, _ in seeing(on, path)]
        )
        return (
            f"Between the picture and a value of `{path}` stand the windows of {steps}. "
            "How many pixels of the picture does that value see, per side?"
        )

    def answer(self, on: Subject) -> int:
        return on.node(self.path(on)).receptive_field

    def why(self, on: Subject) -> str:
        lines, before, jump = [], 1, 1
        for name, window, field, after in seeing(on, self.path(on)):
            grown = f"{before} + ({window.kernel_size} − 1)·{jump} = {field}"
            apart = f", and neighbours are {after} pixels apart" if after != jump else ""
            lines.append(f"- `{name}`: {grown}{apart}")
            before, jump = field, after
        return "\n".join(lines)


def seeing(on: Subject, path: str) -> list[tuple[str, Window, int, int]]:
    """The windows that widen the view on the way to a layer.

    Each with what a value sees after it, and how far apart in the picture neighbours are.
    """
    found, field, jump = [], 1, 1
    for node, window in on.windows(path):
        field += (window.kernel_size - 1) * jump
        jump *= window.stride
        if (window.kernel_size, window.stride) != (1, 1):
            found.append((node.path, window, field, jump))
    return found


@dataclass(frozen=True)
class SmallestPicture(OfLayer):
    """The smallest picture of which something is left; the layer is where the maps end."""

    def applies(self, on: Subject) -> bool:
        if not super().applies(on):
            return False
        smallest = self.answer(on)
        return (
            smallest > 1
            and min(self._sides(on, smallest)) > 0
            and min(self._sides(on, smallest - 1)) <= 0
        )

    def text(self, on: Subject) -> str:
        steps = windows_said([(n, window.described()) for n, _, window in self._shrinking(on)])
        return (
            f"These layers make the maps smaller: {steps}. What is the smallest picture, "
            "in pixels per side, that passes through the network?"
        )

    def answer(self, on: Subject) -> int:
        return on.configuration.spec.smallest_image_size(on.configuration.options)

    def why(self, on: Subject) -> str:
        smallest = self.answer(on)
        fits, fails = (
            " → ".join(str(max(0, side)) for side in [n, *self._sides(on, n)])
            for n in (smallest, smallest - 1)
        )
        return f"{fits} goes through. With one pixel less it is {fails}: nothing is left."

    def _shrinking(self, on: Subject) -> list[tuple[str, int, Window]]:
        return changing(on, self.path(on))

    def _sides(self, on: Subject, n: int) -> list[int]:
        sides: list[int] = []
        for _, _, window in self._shrinking(on):
            n = window.output(n)
            sides.append(n)
            if n <= 0:
                break
        return sides
