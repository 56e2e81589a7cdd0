"""What one node of a network read and made: a pass that ends where that node has run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from cnnlab.errors import ConfigError
from cnnlab.hooks import private_copy, set_for_shapes
from cnnlab.misfit import misfit
from cnnlab.receptive_field import View
from cnnlab.shape_rules import name_of
from cnnlab.trace import Node, Recorder, tensors, traced


@dataclass(frozen=True)
class Call:
    """A function with what it was called with."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True)
class Captured:
    """A node that ran: the tensors that it read, its functions with their arguments, its output.

    `module` is what the node stands for, or the block whose forward calls the function.
    """

    node: Node
    module: nn.Module
    read: tuple[Tensor, ...]
    calls: tuple[Call, ...]
    output: Tensor


def capture(model: nn.Module, batch: Tensor, node: int) -> Captured:
    """Run `model` up to one node of its trace, in prediction mode; what that one reads is kept.

    Nothing else is. Where gradients are on, those of the batch can be taken.

    Shape: `batch` (1, C, H, W).
    Raises: ConfigError when the picture does not fit or the network has no such node.
    """
    if batch.dim() != 4 and (reason := misfit(model, tuple(batch.shape))):
        raise ConfigError(reason)
    watched = set_for_shapes(private_copy(model))
    recorder = Capturing(watched, batch, node)
    if node == 0:
        recorder.take_off_hooks()
        return recorder.found(watched)
    with recorder:
        try:
            watched(recorder.batch)
        except Ended:
            return recorder.found(watched)
        except RuntimeError:
            if reason := misfit(model, tuple(batch.shape)):
                raise ConfigError(reason) from None
            raise
        finally:
            recorder.take_off_hooks()
    raise ConfigError(
        f"node: {node} was given; {type(model).__name__} has {len(recorder.nodes)}, from 0."
    )


class Ended(Exception):
    """The node that was asked for has run."""


class Capturing(Recorder):
    """Counts nodes as a trace does, and keeps what the asked one is called with."""

    def __init__(self, watched: nn.Module, batch: Tensor, node: int) -> None:
        self.asked = node
        self.calls: list[Call] = []
        self.read: tuple[Tensor, ...] = ()
        self.output = batch
        # The caller's tensor gets no marks.
        self.batch = batch.view_as(batch)
        super().__init__(watched, self.batch)

    def found(self, watched: nn.Module) -> Captured:
        """What was kept."""
        node = self.nodes[self.asked]
        return Captured(
            node, watched.get_submodule(node.path), self.read, tuple(self.calls), self.output
        )

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        is_asked = len(self.nodes) == self.asked and bool(self._running)
        if not is_asked or not traced((args, kwargs)):
            return super().__torch_function__(func, types, args, kwargs)
        # Before it runs: a function that is a node of its own ends the pass.
        self.calls.append(Call(name_of(func), plain(args), plain(kwargs)))
        result = super().__torch_function__(func, types, args, kwargs)
        if not list(tensors(result)):
            self.calls.pop()
        return result

    def _add(self, node: Node, read: list[Tensor], made: list[Tensor], view: View) -> None:
        super()._add(node, read, made, view)
        if len(self.nodes) - 1 == self.asked and self.asked:
            self.read, self.output = plain(tuple(read)), made[0]
            raise Ended


def plain(value: Any) -> Any:
    """The same arguments with tensors of which no gradient is wanted."""
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(plain(part) for part in value)
    return value
