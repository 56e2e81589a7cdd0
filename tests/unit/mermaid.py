"""The part of Mermaid that the diagrams use, read back."""

import json
import re
from dataclasses import dataclass
from typing import Any

from cnnlab import catalog, diagrams
from cnnlab.networks.options import Options
from cnnlab.trace import Trace, trace_of
from tests.unit.knobs import image_size

ID = r"[a-z]\d+s?"


NODE = re.compile(rf'({ID})(?:\["|\("|\(\["|\[\[")([^"]*)(?:"\]|"\)|"\]\)|"\]\]):::(\w+)')


ARROW = re.compile(rf"({ID}) (-->|---) ({ID})")


# Words that Mermaid's grammar keeps for itself.
RESERVED = {"end", "graph", "flowchart", "subgraph", "style", "class", "click", "default"}


@dataclass(frozen=True)
class Parsed:
    """What a diagram says: labels and kinds of the boxes, the arrows, titles of the groups."""

    labels: dict[str, str]
    kinds: dict[str, str]
    arrows: list[tuple[str, str]]
    groups: list[str]

    def count(self, kind: str) -> int:
        return list(self.kinds.values()).count(kind)

    def labels_of(self, kind: str) -> list[str]:
        return [self.labels[i] for i, its_kind in self.kinds.items() if its_kind == kind]

    def has(self, text: str) -> bool:
        return any(text in label for label in self.labels.values())


def parse(source: str) -> Parsed:
    """Read the part of Mermaid that the diagrams use; anything else fails."""
    first, second, *lines = source.splitlines()
    setting = json.loads(first.removeprefix("%%{init: ").removesuffix("}%%"))
    assert set(setting) == {"layout", "flowchart"}
    assert second == "flowchart TB"
    parsed = Parsed({}, {}, [], [])
    classes: set[str] = set()
    open_groups: list[str] = []
    for line in lines:
        if node := NODE.fullmatch(line):
            name, label, kind = node.groups()
            assert name not in parsed.labels, "names are unique"
            assert label.strip()
            parsed.labels[name] = label.replace("<br/>", " ")
            parsed.kinds[name] = kind
        elif arrow := ARROW.fullmatch(line):
            parsed.arrows.append((arrow[1], arrow[3]))
        elif group := re.fullmatch(r'subgraph ([a-z])\["([^"]+)"\]', line):
            open_groups.append(group[1])
            parsed.groups.append(group[2])
        elif line == "end":
            open_groups.pop()
        elif definition := re.fullmatch(r"classDef (\w+) [-:;,#\w]+", line):
            classes.add(definition[1])
        else:
            assert re.fullmatch(
                r"direction TB|style [a-z]\d* [-:,#\w]+|[a-z]( ~~~ [a-z])+", line
            ), f"not understood: {line}"
    assert not open_groups
    assert set(parsed.kinds.values()) <= classes
    assert not classes & RESERVED
    for label in parsed.labels.values():
        assert not set('"<>#;{}`') & set(label), label
        assert label.count("(") == label.count(")")
    for start, stop in parsed.arrows:
        assert start in parsed.labels
        assert stop in parsed.labels
    joined = {name for arrow in parsed.arrows for name in arrow}
    assert len(parsed.labels) == 1 or joined == set(parsed.labels), "no box stands alone"
    return parsed


def drawn(name: str, preset: str = "d2l", **knobs: Any) -> Trace:
    return drawn_with(name, catalog.NETWORKS[name].presets[preset].replace(**knobs))


def drawn_with(name: str, options: Options) -> Trace:
    return trace_of(catalog.NETWORKS[name], options, image_size(name, options))


def network(name: str, preset: str = "d2l", **knobs: Any) -> Parsed:
    return parse(diagrams.network_diagram(drawn(name, preset, **knobs)))


def block(name: str, preset: str = "d2l", **knobs: Any) -> Parsed:
    return parse(diagrams.block_diagram(drawn(name, preset, **knobs)))


def norm(name: str, preset: str = "d2l", **knobs: Any) -> Parsed:
    return parse(diagrams.norm_placement_diagram(drawn(name, preset, **knobs)))
