"""Verdict of an experiment: what the figures of its arms, seed by seed, say about its claim.

The statistics are plain. An arm is ahead of another only where its worst seed is better than the
other's best: the ranges over the seeds do not overlap. Three seeds that fall so by chance alone
are one case in twenty, in a direction named beforehand.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from cnnlab.experiments.metrics import Quantity

# Fewer seeds show a tendency; the verdict then says that it is not the last word.
ENOUGH_SEEDS = 3
# For every arm, by its name: its figure for each seed, in the same order.
Figures = Mapping[str, Sequence[float]]
OPEN = "open"
UNDECIDED = "This short run does not decide it: the ranges over the seeds overlap."
NO_DIFFERENCE = "No difference shows: the ranges over the seeds overlap, or lie too near."


@dataclass(frozen=True)
class Verdict:
    """What came out: the key of an answer, the figures in a sentence, and how many seeds spoke."""

    answer: str
    sentence: str
    seeds: int

    @property
    def is_final(self) -> bool:
        return self.seeds >= ENOUGH_SEEDS


class Rule(Protocol):
    """How figures become a verdict. `answers` are what a reader can predict, by their keys."""

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that it looks at."""

    @property
    def answers(self) -> Mapping[str, str]: ...

    @property
    def claimed(self) -> str:
        """The answer that the claim gives."""

    def says(self, metric: Quantity) -> str:
        """The rule in words."""

    def judge(self, metric: Quantity, figures: Figures) -> Verdict: ...


@dataclass(frozen=True)
class Ahead:
    """The claim is that one arm does better than another, by more than chance.

    `by` is the least difference of the medians that counts, in units of the metric; `predictions`
    say of the first and of the second what a reader can expect of it.
    """

    first: str
    second: str
    by: float = 0.0
    claimed: str = "first"
    # What is said does not change what is measured.
    predictions: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def arms(self) -> tuple[str, ...]:
        return self.first, self.second

    @property
    def answers(self) -> Mapping[str, str]:
        first, second = self.predictions or expected(self.first, self.second)
        return {"first": first, "second": second, OPEN: "No difference that shows"}

    def says(self, metric: Quantity) -> str:
        least = f", and the medians by at least {metric.text(self.by)}" if self.by else ""
        return (
            f"Figure: {metric.name}. One arm does better where its worst seed beats the best of "
            f"the other{least}."
        )

    def judge(self, metric: Quantity, figures: Figures) -> Verdict:
        first, second = figures[self.first], figures[self.second]
        answer = ahead(metric, first, second, self.by)
        told = {OPEN: NO_DIFFERENCE if self.claimed == OPEN else UNDECIDED}
        for key, better, worse in (("first", first, second), ("second", second, first)):
            apart = metric.apart(median(better), median(worse))
            who = self.first if key == "first" else self.second
            wins = sum(is_better(metric, b, w) for b, w in zip(better, worse, strict=True))
            told[key] = f"{capital(who)}: {apart}{counted(wins, len(better))}."
        return Verdict(answer, f"{listing(metric, figures, self.arms)} {told[answer]}", len(first))


@dataclass(frozen=True)
class Trend:
    """The claim is that the figure gets better, or worse, from arm to arm."""

    arms: tuple[str, ...]
    claimed: str = "better"

    @property
    def answers(self) -> Mapping[str, str]:
        return {
            "better": f"The further, the better: {self.arms[-1]} is best",
            "worse": f"The further, the worse: {self.arms[0]} is best",
            OPEN: "No clear direction",
        }

    def says(self, metric: Quantity) -> str:
        return (
            f"Figure: {metric.name}. There is a direction where the medians go one way from "
            f"{self.arms[0]} to {self.arms[-1]} and the ranges of these two do not overlap."
        )

    def judge(self, metric: Quantity, figures: Figures) -> Verdict:
        first, last = figures[self.arms[0]], figures[self.arms[-1]]
        medians = [median(figures[arm]) for arm in self.arms]
        ends = ahead(metric, last, first)
        better = all(not is_better(metric, a, b) for a, b in pairwise(medians))
        worse = all(not is_better(metric, b, a) for a, b in pairwise(medians))
        answer, told = (
            OPEN,
            "The medians do not go one way, or the ends overlap: no clear direction.",
        )
        if ends == "first" and better:
            answer = "better"
            told = f"{capital(self.arms[-1])}: {metric.apart(medians[-1], medians[0])}."
        elif ends == "second" and worse:
            answer = "worse"
            told = f"{capital(self.arms[0])}: {metric.apart(medians[0], medians[-1])}."
        return Verdict(answer, f"{listing(metric, figures, self.arms)} {told}", len(first))


@dataclass(frozen=True)
class Alike:
    """The claim is that two arms do not differ: seed by seed by no more than `within`."""

    first: str
    second: str
    within: float
    claimed: str = "alike"
    # What is said does not change what is measured.
    predictions: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def arms(self) -> tuple[str, ...]:
        return self.first, self.second

    @property
    def answers(self) -> Mapping[str, str]:
        first, second = self.predictions or expected(self.first, self.second)
        return {"first": first, "second": second, "alike": "Both do the same"}

    def says(self, metric: Quantity) -> str:
        return (
            f"Figure: {metric.name}. Both do the same where they differ with no seed by more than "
            f"{metric.text(self.within)}; one does better where its worst seed beats the best of "
            "the other."
        )

    def judge(self, metric: Quantity, figures: Figures) -> Verdict:
        first, second = figures[self.first], figures[self.second]
        apart = max(distance(a, b) for a, b in zip(first, second, strict=True))
        if apart <= self.within:
            answer, told = "alike", f"No seed differs by more than {metric.text(apart)}."
        else:
            answer = ahead(metric, first, second)
            told = UNDECIDED
            if answer != OPEN:
                one, other = (first, second) if answer == "first" else (second, first)
                who = self.first if answer == "first" else self.second
                told = f"{capital(who)}: {metric.apart(median(one), median(other))}."
        return Verdict(answer, f"{listing(metric, figures, self.arms)} {told}", len(first))


def ahead(
    metric: Quantity, first: Sequence[float], second: Sequence[float], by: float = 0.0
) -> str:
    """Which of two arms is ahead with all its seeds, and enough; "open" where neither is."""
    if distance(median(first), median(second)) < by:
        return OPEN
    for answer, one, other in (("first", first, second), ("second", second, first)):
        if all(is_better(metric, a, b) for a in one for b in other):
            return answer
    return OPEN


def is_better(metric: Quantity, one: float, other: float) -> bool:
    return one > other if metric.higher_is_better else one < other


def distance(one: float, other: float) -> float:
    """How far two figures lie apart; two that never came do not."""
    return 0.0 if one == other else abs(one - other)


def median(values: Sequence[float]) -> float:
    """A value that was seen: between two in the middle, the lower."""
    return statistics.median_low(values)


def listing(metric: Quantity, figures: Figures, arms: Sequence[str]) -> str:
    """The figures of every arm: the median, and from which to which seed they reach."""
    found = "; ".join(f"{arm} {spread(metric, figures[arm])}" for arm in arms)
    return f"{capital(metric.name)}: {found}."


def spread(metric: Quantity, values: Sequence[float]) -> str:
    """Median and range, such as "40 points (38 to 44)"."""
    low, high = metric.text(min(values)), metric.text(max(values))
    middle = metric.text(median(values))
    if low == high:
        return middle
    return f"{middle} ({low.removesuffix(metric.unit)} to {high.removesuffix(metric.unit)})"


def counted(wins: int, seeds: int) -> str:
    """With how many seeds it was so, as the end of a sentence; one seed is no count."""
    return f", {wins} of {seeds} seeds" if seeds > 1 else ""


def expected(first: str, second: str) -> tuple[str, str]:
    """What can be predicted of two arms whose names say enough."""
    return f"{capital(first)} does better", f"{capital(second)} does better"


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
