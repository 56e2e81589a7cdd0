"""What a question is put about: a configuration, and the network that it makes."""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

from torch import nn

from cnnlab.configuration import Configuration, Value
from cnnlab.errors import CnnLabError
from cnnlab.questions.arithmetic import Window, window_of
from cnnlab.summary import Summary, layers
from cnnlab.trace import Node, Trace, trace_of


@dataclass(frozen=True)
class Subject:
    """A configuration and the trace of its network.

    Raises: ConfigError where its network cannot be, from everything that reads the trace.
    """

    configuration: Configuration

    @cached_property
    def trace(self) -> Trace:
        chosen = self.configuration
        return trace_of(chosen.spec, chosen.options, chosen.image_size)

    @cached_property
    def summary(self) -> Summary:
        return layers(self.trace)

    @property
    def title(self) -> str:
        return self.configuration.spec.title

    @property
    def picture(self) -> str:
        """The size of the picture: "224×224 pixels"."""
        return f"{self.configuration.image_size}×{self.configuration.image_size} pixels"

    def number(self, name: str) -> int:
        """A setting that is a whole number."""
        return cast("int", self.configuration.values[name])

    def changed(self, changes: dict[str, Value]) -> "Subject | None":
        """The same with some settings changed; None where nothing changes or it cannot be."""
        try:
            found = Subject(self.configuration.with_changes(**changes))
            if found.configuration.values == self.configuration.values or not found.trace:
                return None
        except CnnLabError:
            return None
        return found

    def has(self, path: str) -> bool:
        """Whether something of this path ran."""
        return path in self.trace.shapes

    def module(self, path: str) -> nn.Module:
        return self.trace.outline.get_submodule(path)

    def node(self, path: str) -> Node:
        """What ran last of a layer or of a block."""
        return self.trace.nodes[self._last(path)]

    def window(self, path: str) -> Window | None:
        """The window of a layer; None where it has none."""
        return window_of(self.module(path))

    def way(self, path: str) -> list[Node]:
        """What the picture goes through on the way to a layer, which comes last.

        Where ways meet it is the one that sees most of the picture.
        """
        nodes = self.trace.nodes
        place = self._last(path)
        found = [nodes[place]]
        while sources := self.trace.sources(place):
            place = max(sources, key=lambda source: nodes[source].receptive_field)
            found.append(nodes[place])
        return found[::-1]

    def windows(self, path: str) -> list[tuple[Node, Window]]:
        """The layers with a window on the way to a layer."""
        return [
            (node, window)
            for node in self.way(path)
            if node.is_module and (window := self.window(node.path))
        ]

    def _last(self, path: str) -> int:
        return max(
            place
            for place, node in enumerate(self.trace.nodes)
            if node.path == path or node.path.startswith(f"{path}.")
        )
