"""Kinds of promise: how the figures of arms, one per seed, have to lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

# For every arm, by its name: its figure for each seed.
Figures = Mapping[str, Sequence[float]]


class Check(Protocol):
    """Whether the figures of the arms it speaks of are as promised, and the promise in words."""

    @property
    def arms(self) -> tuple[str, ...]: ...

    def holds(self, figures: Figures) -> bool: ...

    def says(self) -> str: ...


@dataclass(frozen=True)
class Above:
    """With every seed the one arm lies above the other, by at least `by`."""

    more: str
    less: str
    by: float = 0.0

    @property
    def arms(self) -> tuple[str, ...]:
        return self.more, self.less

    def holds(self, figures: Figures) -> bool:
        pairs = zip(figures[self.more], figures[self.less], strict=True)
        return all(more >= less + self.by for more, less in pairs)

    def says(self) -> str:
        return f"{self.more} above {self.less}" + (f" by {self.by:g}" if self.by else "")


@dataclass(frozen=True)
class Between:
    """With every seed, or with at least one, the arm lies within bounds."""

    arm: str
    low: float
    high: float
    every: bool = True

    @property
    def arms(self) -> tuple[str, ...]:
        return (self.arm,)

    def holds(self, figures: Figures) -> bool:
        found = [self.low <= figure <= self.high for figure in figures[self.arm]]
        return all(found) if self.every else any(found)

    def says(self) -> str:
        bounds = f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"
        return f"{self.arm}: {bounds}" + ("" if self.every else " with at least one seed")


@dataclass(frozen=True)
class Times:
    """With every seed the one arm is so many times the other."""

    more: str
    less: str
    low: float
    high: float

    @property
    def arms(self) -> tuple[str, ...]:
        return self.more, self.less

    def holds(self, figures: Figures) -> bool:
        pairs = zip(figures[self.more], figures[self.less], strict=True)
        return all(self.low * less <= more <= self.high * less for more, less in pairs)

    def says(self) -> str:
        factor = f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"
        return f"{self.more} is {factor} times {self.less}"
