"""Arms of an experiment: runs that differ in nothing but their seed, and what they reached."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnnlab.runs.records import RunRecord


@dataclass(frozen=True)
class Arm:
    """Runs of one configuration with several seeds."""

    runs: tuple[RunRecord, ...]

    @property
    def finished(self) -> list[RunRecord]:
        """The runs that came to their end; only these are averaged."""
        return [run for run in self.runs if run.status == "finished"]


@dataclass(frozen=True)
class Spread:
    """The mean of some values and their standard deviation, which is None for a single value."""

    mean: float
    deviation: float | None
    count: int


def arms(runs: Iterable[RunRecord]) -> list[Arm]:
    """The arms, each where the first of its runs stands. What is observed makes no arm."""
    found: dict[str, list[RunRecord]] = {}
    for run in runs:
        settings = run.config.model_dump_json(exclude={"seed", "probes"})
        found.setdefault(settings, []).append(run)
    return [Arm(tuple(own)) for own in found.values()]


def spread(values: Sequence[float]) -> Spread | None:
    """Mean and sample standard deviation; None where there is no value."""
    if not values:
        return None
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return Spread(statistics.fmean(values), deviation, len(values))
