"""Trace of a model, from one pass over shapes alone: what ran, what it read, and what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnlab.errors import ConfigError
from cnnlab.hooks import private_copy, set_for_shapes, training_heads
from cnnlab.kept import Kept
from cnnlab.misfit import misfit
from cnnlab.network_spec import NetworkSpec, note_fit
from cnnlab.networks.options import Options
from cnnlab.receptive_field import View, window
from cnnlab.shape_rules import call, name_of

Shape = tuple[int, ...]

INPUT = "input"
# Functions whose second argument is a weight of which every output value uses one filter.
WEIGHTED = ("conv1d", "conv2d", "conv3d", "linear")
# Of traces that are kept, six times all presets': thirty students' knobs fit.
MOST_NODES = 12_000


@dataclass(frozen=True)
class Node:
    """Something that ran: a module without parts, or a function that a module's forward calls.

    `path` is the module's path, for a function that of the module that calls it; `operation` is
    the module's class or the function's name. Of several tensors, `output_shape` is the first's.

    `training_only`: in prediction it does not run, as an auxiliary head.

    Units: `macs` are multiply-accumulates of convolutions and fully-connected layers for the
    whole batch, `receptive_field` pixels of the input per side.
    """

    path: str
    operation: str
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    params: int
    macs: int
    receptive_field: int
    is_module: bool = False
    training_only: bool = False


@dataclass(frozen=True)
class Trace:
    """All that ran, in order; the first node is the input. Nothing is left out.

    `edges` are pairs of nodes, from the one that made a tensor to the one that read it. `shapes`
    are those of every module's output, blocks included, in the order in which they ended, and
    `ends` the nodes that made these outputs. `outline` is the model without weights, for what else
    there is to know about its modules.
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]
    shapes: Mapping[str, Shape]
    ends: Mapping[str, int]
    outline: nn.Module

    def sources(self, node: int) -> tuple[int, ...]:
        """The nodes that a node reads."""
        return self._sources.get(node, ())

    @cached_property
    def _sources(self) -> dict[int, tuple[int, ...]]:
        found: dict[int, tuple[int, ...]] = {}
        for source, target in self.edges:
            found[target] = (*found.get(target, ()), source)
        return found


def trace(model: nn.Module, input_shape: Sequence[int]) -> Trace:
    """Run `model` once on the meta device, so that the largest costs neither time nor memory.

    It runs as in prediction; what has an attribute `training_only` runs too.

    Shape: `input_shape` is (N, C, H, W).
    Raises: ConfigError when the picture does not fit the network.
    """
    if len(input_shape) != 4 or min(input_shape) < 1:
        raise ConfigError(
            f"The input shape {tuple(input_shape)} was given; it has to be four positive numbers: "
            "pictures, channels, height, width."
        )
    try:
        return recorded(private_copy(model, device="meta"), input_shape)
    except RuntimeError:
        if reason := misfit(model, tuple(input_shape)):
            raise ConfigError(reason) from None
        raise


def trace_of(spec: NetworkSpec, options: Options, image_size: int) -> Trace:
    """The trace of a network of the catalog for one square picture; the last ones are kept.

    Raises: ConfigError for knobs out of bounds or a picture that does not fit.
    """
    return _TRACES.get((spec, options, image_size), partial(_traced, spec, options, image_size))


def _traced(spec: NetworkSpec, options: Options, image_size: int) -> Trace:
    shape = (1, options.in_channels, image_size, image_size)
    try:
        outline = spec.outline(options, image_size)
        found = recorded(private_copy(outline, device="meta"), shape)
    except RuntimeError:
        # Says which size works, where that is the reason.
        spec.check_image_size(options, image_size)
        raise
    note_fit(spec, options, image_size)
    # The one that all share, which is most of what a trace is made of.
    return replace(found, outline=outline)


def recorded(outline: nn.Module, input_shape: Sequence[int]) -> Trace:
    """One pass of a model on the meta device. Raises: RuntimeError where it does not fit."""
    recorder = Recorder(outline, x := torch.empty(tuple(input_shape), device="meta"))
    with torch.no_grad(), recorder:
        try:
            set_for_shapes(outline)(x)
        finally:
            recorder.take_off_hooks()
    edges = tuple((s, i) for i, sources in enumerate(recorder.sources) for s in sources)
    return Trace(tuple(recorder.nodes), edges, recorder.shapes, recorder.ends, outline)


_TRACES = Kept[Trace](MOST_NODES, lambda found: len(found.nodes))


@dataclass(frozen=True)
class Origin:
    """What is noted on every tensor: the node that made it, and what one value of it sees."""

    node: int
    view: View


@dataclass
class Running:
    """A module whose forward has begun, and what was computed in it so far."""

    path: str
    has_parts: bool
    functions: int = 0
    macs: int = 0


class Recorder(TorchFunctionMode):
    """Notes every module and function that reads what was made of the input.

    What a module without parts calls belongs to it; what calls a block's forward itself is noted.
    """

    def __init__(self, outline: nn.Module, x: Tensor) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.sources: list[tuple[int, ...]] = []
        self.shapes: dict[str, Shape] = {}
        self.ends: dict[str, int] = {}
        self._running: list[Running] = []
        self._heads = tuple(f"{path}." for path in training_heads(outline))
        # A weight that is used in several places is counted in the first.
        self._uncounted = {id(weight): weight.numel() for weight in outline.parameters()}
        self._handles = [
            handle
            for path, module in outline.named_modules()
            for handle in (
                module.register_forward_pre_hook(self._entering(path)),
                module.register_forward_hook(self._left, with_kwargs=True),
            )
        ]
        self._add(Node("", INPUT, (), tuple(x.shape), 0, 0, 1), [], [x], View())

    def take_off_hooks(self) -> None:
        """Leave the modules as they were."""
        for handle in self._handles:
            handle.remove()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        read = traced((args, kwargs))
        # A function may change what it reads.
        input_shapes = shapes(read)
        result = call(func, args, kwargs)
        made = tensors(result)
        if not read or not made:
            return result
        if not self._running:
            # A hook prepares the picture before the network begins: it is the input still.
            note(made, origin(read[0]))
            return result
        name, module = name_of(func), self._running[-1]
        view = widest(read).through(window(name, args, kwargs, made[0]))
        macs = 0
        if name in WEIGHTED:
            weight = args[1] if len(args) > 1 else kwargs["weight"]
            macs = made[0].numel() * weight[0].numel()
        module.functions += 1
        if module.has_parts:
            params = self._count(tensors((args, kwargs)))
            shape = tuple(made[0].shape)
            node = Node(module.path, name, input_shapes, shape, params, macs, round(view.field))
            self._add(node, read, made, view)
        else:
            module.macs += macs
            note(made, Origin(origin(read[0]).node, view))
        return result

    def _entering(self, path: str) -> Any:
        def enter(module: nn.Module, _args: Any) -> None:
            self._running.append(Running(path, has_parts=any(module.children())))

        return enter

    def _left(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        left, made = self._running.pop(), tensors(output)
        if not made:
            return
        self.shapes[left.path] = tuple(made[0].shape)
        if not left.has_parts:
            self._add_leaf(module, left, traced((args, kwargs)), made)
        if traced(made[:1]):
            self.ends[left.path] = origin(made[0]).node

    def _add_leaf(
        self, module: nn.Module, left: Running, read: list[Tensor], made: list[Tensor]
    ) -> None:
        params = self._count(module.parameters())
        if not left.functions and not params:
            return  # It hands on what it was given.
        view = widest(traced(made) or read)
        node = Node(
            left.path,
            type(module).__name__,
            shapes(read),
            tuple(made[0].shape),
            params,
            left.macs,
            round(view.field),
            is_module=True,
        )
        self._add(node, read, made, view)

    def _count(self, weights: Any) -> int:
        return sum(self._uncounted.pop(id(weight), 0) for weight in weights)

    def _add(self, node: Node, read: list[Tensor], made: list[Tensor], view: View) -> None:
        self.sources.append(tuple(dict.fromkeys(origin(x).node for x in read)))
        aside = f"{node.path}.".startswith(self._heads)
        self.nodes.append(replace(node, training_only=True) if aside else node)
        note(made, Origin(len(self.nodes) - 1, view))


def tensors(value: Any) -> list[Tensor]:
    """The tensors in arguments or results, however they are nested."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [tensor for part in value for tensor in tensors(part)]


def traced(value: Any) -> list[Tensor]:
    """Those tensors that were made of the input."""
    return [tensor for tensor in tensors(value) if hasattr(tensor, "_origin")]


def shapes(found: Sequence[Tensor]) -> tuple[Shape, ...]:
    return tuple(tuple(tensor.shape) for tensor in found)


def origin(tensor: Tensor) -> Origin:
    found: Origin = tensor._origin  # type: ignore[attr-defined]
    return found


def note(made: Sequence[Tensor], found: Origin) -> None:
    for tensor in made:
        tensor._origin = found  # type: ignore[attr-defined]


def widest(read: Sequence[Tensor]) -> View:
    """Where paths meet, the widest view counts."""
    return max((origin(x).view for x in read), key=lambda view: view.field, default=View())
