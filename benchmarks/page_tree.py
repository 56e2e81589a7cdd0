"""What a page consists of, as a browser keeps it: the server sends only what it draws anew."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.ButtonGroup_pb2 import ButtonGroup
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

Path = tuple[int, ...]
# In which field of a message the value of a widget goes back to the server.
FIELDS = {
    "button": "trigger_value",
    "button_group": "string_array_value",
    "checkbox": "bool_value",
    "number_input": "double_value",
    "radio": "string_value",
    "selectbox": "string_value",
    "slider": "double_array_value",
    "tab_container": "string_value",
}
LISTS = {"string_array_value", "double_array_value"}


@dataclass(frozen=True)
class Node:
    """An element or a container, who sent it, and as what it was sent."""

    kind: str
    content: Any
    fragment: str
    run: str

    @property
    def key(self) -> str:
        """The key that the page gave a widget; it is the end of the widget's name."""
        return str(getattr(self.content, "id", "")).split("-", 2)[-1]

    @property
    def is_usable(self) -> bool:
        """Whether a reader can do something with it."""
        return bool(self.content.id) and not getattr(self.content, "disabled", False)

    def state(self, value: object) -> WidgetState:
        """A value of the widget, as the server is told."""
        found, field = WidgetState(id=self.content.id), FIELDS[self.kind]
        if field in LISTS:
            getattr(found, field).data.extend([] if value is None else [value])
        elif value is not None:
            setattr(found, field, value)
        return found


class PageTree:
    """Elements by their place, as many as the page has now."""

    def __init__(self) -> None:
        self._nodes: dict[Path, Node] = {}
        self._run = ""

    def __iter__(self) -> Iterator[Node]:
        return iter(list(self._nodes.values()))

    def take(self, message: ForwardMsg) -> None:
        """Change the page as the server says."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._run = message.metadata.run.script_run_id
        elif kind == "delta":
            self._draw(tuple(message.metadata.delta_path), message.delta)
        elif kind == "script_finished":
            self._finish(message)

    def _draw(self, path: Path, delta: Any) -> None:
        drawn = delta.WhichOneof("type")
        if drawn == "new_element":
            kind, content = element(delta)
            for below in [place for place in self._nodes if place[: len(path)] == path]:
                del self._nodes[below]
        elif drawn == "add_block":
            # What stood in the container stays until it is drawn again or the run is over.
            kind = delta.add_block.WhichOneof("type") or "block"
            content = getattr(delta.add_block, kind, delta.add_block)
        else:
            return  # shown for a moment, such as "Running"
        self._nodes[path] = Node(kind, content, delta.fragment_id, self._run)

    def _finish(self, message: ForwardMsg) -> None:
        """Drop what the run would have drawn again, and did not."""
        if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            self._drop({node.fragment for node in self})
        elif message.script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
            self._drop(set(message.metadata.run.fragment_ids))

    def _drop(self, fragments: set[str]) -> None:
        self._nodes = {
            path: node
            for path, node in self._nodes.items()
            if node.run == self._run or node.fragment not in fragments
        }

    def widget(self, kind: str, key: str) -> Node | None:
        """The widget with this key, where it is there and not greyed out."""
        return next((node for node in self.widgets(key) if node.kind == kind), None)

    def widgets(self, beginning: str) -> list[Node]:
        """Those that a reader can use whose keys begin like this."""
        return [
            node
            for node in self
            if node.kind in {*FIELDS, "file_uploader"}
            and node.is_usable
            and node.key.startswith(beginning)
        ]

    def complaints(self) -> list[str]:
        """What the page shows in red, with the icon before it."""
        return [
            f"exception: {node.content.type} {node.content.message}"
            if node.kind == "exception"
            else f"{node.content.icon} {node.content.body}".strip()
            for node in self
            if node.kind == "exception"
            or (node.kind == "alert" and node.content.format == Alert.ERROR)
        ]


def element(delta: Any) -> tuple[str, Any]:
    """What kind of element was sent, and the element."""
    kind = delta.new_element.WhichOneof("type") or "empty"
    content = getattr(delta.new_element, kind)
    # One of words has other values than one of numbers.
    return "select_slider" if kind == "slider" and content.options else kind, content


def other_value(node: Node, held: object, at_random: random.Random) -> object | None:
    """Another value of a widget than it has, a near one; None where it takes no other."""
    found = node.content
    if node.kind == "checkbox":
        return not held
    if node.kind in ("slider", "number_input"):
        value, step = float(str(held)), found.step or 1
        near = [value - step, value + step]
        return next_of(at_random, [x for x in near if found.min <= x <= found.max])
    options = (
        [option.content for option in found.options]
        if isinstance(found, ButtonGroup)
        else list(found.options)
    )
    return next_of(at_random, [option for option in options if option != held])


def next_of(at_random: random.Random, values: list[Any]) -> object | None:
    """One of some values, if there are any."""
    return at_random.choice(values) if values else None


def shown(node: Node) -> object:
    """What a widget shows before the reader touches it; None where it shows nothing."""
    found = node.content
    if node.kind in ("checkbox", "number_input"):
        return found.value if found.set_value else found.default
    if node.kind == "slider":
        return (found.value if found.set_value else found.default)[0]
    if node.kind == "button_group":
        chosen = [found.options[place].content for place in found.default]
        return next(iter(found.raw_values if found.set_value else chosen), None)
    if found.set_value:
        return found.raw_value
    return found.options[found.default] if found.HasField("default") else None
