"""Arms that are the rungs of a ladder, in families: so many learning rates, with and without."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Arms that differ in one number: each with its own."""

    name: str
    rungs: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Ladder:
    """How a chart orders the arms: a line for each family, over the number that it goes up by.

    `by` says what that is; `goal` is the figure that counts, where there is one.
    """

    families: tuple[Family, ...]
    by: str
    goal: float | None = None
