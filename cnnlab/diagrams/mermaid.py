"""Boxes as Mermaid source."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from cnnlab.diagrams.marks import MARKS
from cnnlab.diagrams.nodes import Node, Nodes
from cnnlab.diagrams.wording import Kind

# Names of the groups, and the first letter of the boxes in them.
PREFIXES = "abcdefgh"
# Stands for a space that is no place to break a row.
GLUE = "\0"
# Mermaid adds to the distance between rows inside a group, and shapes are rows of their own.
TIGHT_PX, LOOSE_PX = 12, 28
# The picture cannot load the page's font: a generic one is as wide as it was measured.
FONT = "font-family:sans-serif"


@dataclass(frozen=True)
class Style:
    """Fill and border of a kind of box, and the signs around its label that give its outline."""

    fill: str
    border: str
    outline: tuple[str, str] = ("[", "]")


# Light fills with dark text are read on a light and on a dark page; the hues are those of Okabe
# and Ito, which colour-blind readers can tell apart.
STYLES: dict[Kind, Style] = {
    "terminal": Style("#d9d9d9", "#767676", ("([", "])")),
    "convolution": Style("#9ad0f2", "#0072b2"),
    "pooling": Style("#f7cd7a", "#b87900", ("(", ")")),
    "normalization": Style("#ecbcd7", "#a3487c"),
    "activation": Style("#f5eea0", "#8f8700", ("(", ")")),
    "dropout": Style("#f5eea0", "#8f8700", ("(", ")")),
    "flatten": Style("#e6e6e6", "#767676"),
    "fully_connected": Style("#8ed8bf", "#00795a"),
    "meeting": Style("#f4b08a", "#b34a00", ("([", "])")),
    "block": Style("#cfe7f8", "#0072b2", ("[[", "]]")),
    "other": Style("#e6e6e6", "#767676"),
}


@dataclass(frozen=True)
class Group:
    """Boxes that belong together, under a title where there are several groups."""

    nodes: Nodes
    title: str = ""


def flowchart(
    groups: Sequence[Group],
    columns: int,
    *,
    shapes: bool = False,
    stacked: bool = False,
    highlight: Kind | None = None,
) -> str:
    """The source of a flowchart from top to bottom.

    `shapes`: say on the arrows what is handed on. `stacked`: the groups one above the other, not
    side by side. `highlight`: the kind with a thick border.

    Units: `columns` is the longest line of a label in characters.
    """
    tight = shapes or len(groups) > 1
    lines = ["%%{init: " + json.dumps(config(TIGHT_PX if tight else LOOSE_PX)) + "}%%"]
    lines += ["flowchart TB", *classes(groups, shapes, highlight)]
    # Mermaid lays groups out from right to left.
    for prefix, group in reversed(list(zip(PREFIXES, groups, strict=False))):
        inside = [
            *boxes(group.nodes, prefix, columns, shapes),
            *arrows(group.nodes, prefix, shapes),
        ]
        if group.title:
            lines += [f'subgraph {prefix}["{group.title}"]', "direction TB", *inside, "end"]
            lines.append(f"style {prefix} fill:none,stroke:#888888,{FONT}")
        else:
            lines += inside
    if stacked:
        lines.append(" ~~~ ".join(PREFIXES[: len(groups)]))
    return "\n".join(lines)


def config(rank_spacing_px: int) -> dict[str, Any]:
    """Settings of one diagram; dagre keeps the distances asked for, ELK, the default, does not."""
    return {
        "layout": "dagre",
        "flowchart": {
            "rankSpacing": rank_spacing_px,
            "nodeSpacing": 10,
            "padding": 6,
            "diagramPadding": 4,
            "minNodeWidth": 40,
            "wrappingWidth": 600,
            "curve": "basis",
            "subGraphTitleMargin": {"top": 4, "bottom": 8},
        },
    }


def classes(groups: Sequence[Group], shapes: bool, highlight: Kind | None) -> Iterator[str]:
    """The colours of the kinds that occur."""
    for kind in dict.fromkeys(node.kind for group in groups for node in group.nodes.values()):
        style = STYLES[kind]
        width = ",stroke-width:4px" if kind == highlight else ""
        yield f"classDef {kind} fill:{style.fill},stroke:{style.border},color:#111111,{FONT}{width}"
    if shapes:
        yield f"classDef shape fill:none,stroke:none,{FONT}"


def boxes(nodes: Nodes, prefix: str, columns: int, shapes: bool) -> Iterator[str]:
    """One line of source per box."""
    for i, node in nodes.items():
        opening, closing = STYLES[node.kind].outline
        # Without shapes on the arrows, the ends are where they are said.
        at_end = "" if shapes or node.kind != "terminal" else node.handed_on
        text = label(node, columns, at_end)
        yield f'{prefix}{i}{opening}"{text}"{closing}:::{node.kind}'
        if node.mark in MARKS:
            yield f"style {prefix}{i} stroke:{MARKS[node.mark].border},stroke-width:4px"


def arrows(nodes: Nodes, prefix: str, shapes: bool) -> Iterator[str]:
    """One line of source per arrow; shapes are boxes without a border, so that no line crosses."""
    readers = {source for node in nodes.values() for source in node.sources}
    if shapes:
        for i in sorted(readers):
            yield f'{prefix}{i}s["{nodes[i].handed_on}"]:::shape'
            yield f"{prefix}{i} --- {prefix}{i}s"
    for i, node in nodes.items():
        for source in node.sources:
            yield f"{prefix}{source}{'s' if shapes else ''} --> {prefix}{i}"


def label(node: Node, columns: int, addition: str = "") -> str:
    """The lines of a label, none longer than `columns` where its pieces allow it."""
    (first, *others), *rest = node.lines
    times = f" × {node.count}" if node.count > 1 else ""
    sign = f"{MARKS[node.mark].sign} " if node.mark in MARKS else ""
    title = sign + first[0].upper() + first[1:] + times
    lines = [(title, *others, *([addition] if addition else [])), *rest]
    return "<br/>".join(row for line in lines for row in wrapped(line, columns))


def wrapped(pieces: Sequence[str], columns: int) -> list[str]:
    """Join pieces by commas and break them into rows; only a long piece is broken itself."""
    whole = [piece.replace(" ", GLUE) if len(piece) < columns else piece for piece in pieces]
    rows = wrap(", ".join(whole), columns, break_long_words=False, break_on_hyphens=False)
    return [row.replace(GLUE, " ") for row in rows]
