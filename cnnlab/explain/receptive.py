"""The receptive field of one value: the exact rectangle of the picture that it can depend on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnlab.errors import ConfigError
from cnnlab.explain import reach
from cnnlab.explain.reach import Reach
from cnnlab.hooks import private_copy, set_for_shapes
from cnnlab.network_spec import NetworkSpec
from cnnlab.networks.options import Options
from cnnlab.receptive_field import View
from cnnlab.shape_rules import name_of
from cnnlab.trace import Node, Recorder, Shape, Trace, tensors, trace_of, traced


@dataclass(frozen=True)
class Place:
    """One value of a layer; features without height and width are maps of one pixel."""

    channel: int
    row: int = 0
    column: int = 0

    def index(self, shape: Shape) -> tuple[int, ...]:
        """Where it stands in an output of this shape, the first picture's.

        Raises: ConfigError for a place that the layer does not have.
        """
        given = (self.channel, self.row, self.column)
        sides = (*shape[1:], 1, 1)[:3]
        for name, at, side in zip(("channel", "row", "column"), given, sides, strict=True):
            if not 0 <= at < side:
                raise ConfigError(f"{name}: {at} was given; it can be 0 to {side - 1} here.")
        return (0, *given[: len(shape) - 1])


@dataclass(frozen=True)
class Rectangle:
    """A part of the picture. Units: pixels."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class Reaches:
    """What the values of every node of a trace see of the picture."""

    found: Trace
    nodes: tuple[Reach, ...]

    def rectangle(self, node: int, place: Place) -> Rectangle | None:
        """What one value sees; None where all that it reads is padding.

        Raises: ConfigError for a place that the layer does not have.
        """
        place.index(self.found.nodes[node].output_shape)
        seen = self.nodes[node]
        rows, columns = seen.rows, seen.columns
        top, bottom = rows[place.channel % len(rows), place.row % rows.shape[1]].tolist()
        left, right = columns[
            place.channel % len(columns), place.column % columns.shape[1]
        ].tolist()
        if top > bottom or left > right:
            return None
        return Rectangle(top, left, bottom - top + 1, right - left + 1)


def node_of(found: Trace, layer: str) -> int:
    """The node that made the output of a layer or block.

    Raises: ConfigError for a layer that the network does not have.
    """
    if layer not in found.ends:
        raise ConfigError(f"There is no layer {layer!r}; there are {', '.join(found.ends)}.")
    return found.ends[layer]


def is_local(found: Trace, node: int) -> bool:
    """Whether a value reads the same few pixels, however large the picture.

    Not behind an average over the whole map or a layer that takes the map apart.
    """
    ahead, seen = [node], {node}
    while ahead:
        one = ahead.pop()
        made = found.nodes[one]
        if len(made.output_shape) < 4 or made.operation.lower().startswith("adaptive"):
            return False
        new = set(found.sources(one)) - seen
        seen |= new
        ahead += new
    return True


def reaches(found: Trace) -> Reaches:
    """Follow one pass over shapes alone, and note what every value sees."""
    shape = found.nodes[0].output_shape
    outline = set_for_shapes(private_copy(found.outline, device="meta"))
    x = torch.empty(shape, device="meta")
    recorder = ReachRecorder(outline, x)
    with torch.no_grad(), recorder:
        try:
            outline(x)
        finally:
            recorder.take_off_hooks()
    return Reaches(found, tuple(reach.of(tensor) for tensor in recorder.made))


# A network keeps up to some MB: rows and columns of every channel that sees something of its own.
@lru_cache(maxsize=8)
def reaches_of(spec: NetworkSpec, options: Options, image_size: int) -> Reaches:
    """What every value of a network of the catalog sees; the last ones are kept.

    Raises: ConfigError for knobs out of bounds or a picture that does not fit.
    """
    return reaches(trace_of(spec, options, image_size))


class ReachRecorder(Recorder):
    """Notes on every tensor what its values see, in the trace's order of nodes."""

    def __init__(self, outline: nn.Module, x: Tensor) -> None:
        self.made: list[Tensor] = []
        note([x], reach.of_picture(*x.shape[2:]))
        super().__init__(outline, x)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = super().__torch_function__(func, types, args, kwargs)
        if traced((args, kwargs)) and (made := list(tensors(result))):
            note(made, reach.after(name_of(func), args, kwargs or {}, made[0]))
        return result

    def _add(self, node: Node, read: list[Tensor], made: list[Tensor], view: View) -> None:
        super()._add(node, read, made, view)
        # Noted already for a module, and for a function as soon as it returns.
        self.made.append(made[0])


def note(made: Sequence[Tensor], found: Reach) -> None:
    for tensor in made:
        tensor._reach = found  # type: ignore[attr-defined]


def kept_bytes(found: Reaches) -> int:
    """Memory of what is noted. Units: bytes."""
    arrays = [a for node in found.nodes for a in (node.rows, node.columns)]
    return sum(int(np.prod(a.shape)) * a.itemsize for a in {id(a): a for a in arrays}.values())
