"""Marks of what differs between two networks, on the boxes of a diagram."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Change = Literal["same", "changed", "added", "removed"]
# By the name of a layer or of a function in the module that calls it; or by path, see `outward`.
Changes = Mapping[str, Change]
# Between a name and how many times it has run before.
AGAIN = " #"


@dataclass(frozen=True)
class Mark:
    """How a change is shown: a sign that needs no colour, a word, the border of a box."""

    sign: str
    word: str
    border: str


# The borders are seen on light and on dark, and are those of no kind of box.
MARKS: dict[Change, Mark] = {
    "changed": Mark("≠", "changed", "#7b2fbe"),
    "added": Mark("+", "new", "#12803c"),
    "removed": Mark("−", "gone", "#c62828"),
}


def outward(changes: Changes) -> dict[str, Change]:
    """What happened to every module and function by its path: to a block, what is in it says."""
    found: dict[str, set[Change]] = {}
    for name, change in changes.items():
        parts = name.split(AGAIN)[0].split(".")
        for count in range(len(parts) + 1):
            found.setdefault(".".join(parts[:count]), set()).add(change)
    return {path: together(inside) for path, inside in found.items()}


def together(changes: Iterable[Change]) -> Change:
    """Of parts that met different fates, the whole is changed."""
    found = set(changes)
    if len(found) > 1:
        return "changed"
    return found.pop() if found else "same"
