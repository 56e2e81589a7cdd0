"""What came of a class: tables for a reader, rows for a file, and what was hoped for."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import Figure, p95, write
from benchmarks.student import Notes

CALM_P95_S, HERD_P95_S = 1.0, 1.5
SESSION_MB, GIVEN_BACK, SLOWER = 15.0, 0.10, 0.25
TRACEBACK = re.compile(r"^Traceback \(most recent call last\):.*?^(\w[^\n]*)", re.M | re.S)


@dataclass
class Outcome:
    """A class of one size.

    Units: seconds of processor time alone by kind; MiB; steps per second alone and beside the
    class, None where the run was over; cores that server and client kept busy.
    """

    students: int
    alone: Notes = field(default_factory=Notes)
    calm: Notes = field(default_factory=Notes)
    herd: Notes = field(default_factory=Notes)
    cpu_s: dict[str, list[float]] = field(default_factory=dict)
    memory_mb: dict[str, float] = field(default_factory=dict)
    steps_per_s: list[float | None] = field(default_factory=list)
    cores: dict[str, tuple[float, float]] = field(default_factory=dict)
    logged: Counter[str] = field(default_factory=Counter)

    @property
    def faults(self) -> Counter[str]:
        """Everything that should not have happened."""
        return self.alone.faults + self.calm.faults + self.herd.faults + self.logged

    @property
    def speed_lost(self) -> float | None:
        """What the class takes of a run's speed, as a share; None where that is not known."""
        alone, beside = self.steps_per_s
        return 1 - beside / alone if alone and beside is not None else None

    def log(self, text: str) -> None:
        """Count the tracebacks of the server's log by what they end with."""
        self.logged += Counter(f"log: {found}" for found in TRACEBACK.findall(text))

    def aims(self) -> Iterator[Figure]:
        """What was hoped for, and what came of it."""
        for notes, name, aim in (
            (self.calm, "an interaction with think time", CALM_P95_S),
            (self.herd, "an interaction in the herd", HERD_P95_S),
        ):
            if seconds := every(notes):
                yield Figure(name, "s", seconds, aim)
        before, peak = self.memory_mb["before"], self.memory_mb["peak"]
        yield Figure("more memory per session", "MB", [(peak - before) / self.students], SESSION_MB)
        left = self.memory_mb["left"] / before - 1
        yield Figure("memory that stays, of that before", "%", [100 * left], 100 * GIVEN_BACK)
        if (lost := self.speed_lost) is not None:
            yield Figure("speed that a run loses", "%", [100 * lost], 100 * SLOWER)
        yield Figure("faults", "", [self.faults.total()], 0)
        yield Figure("lost sessions", "", [self.calm.lost + self.herd.lost], 0)


def every(notes: Notes) -> list[float]:
    """The seconds of all interactions."""
    return [second for seconds in notes.seconds.values() for second in seconds]


def markdown(outcome: Outcome) -> str:
    """The class as tables of a document."""
    memory = ", ".join(f"{name} {mb:,.0f}" for name, mb in outcome.memory_mb.items())
    cores = "; ".join(
        f"{name}: server {server:.2f}, client {client:.2f}"
        for name, (server, client) in outcome.cores.items()
    )
    alone, beside = ("over" if one is None else f"{one:.2f}" for one in outcome.steps_per_s)
    parts = [
        f"\n### {outcome.students} students\n",
        *table("With think time", outcome.calm, outcome.cpu_s),
        *(table("All at once", outcome.herd, outcome.cpu_s) if outcome.herd.seconds else ()),
        *("| aim | measured | at most | |", "|---|---:|---:|---|"),
        *(aim(figure) for figure in outcome.aims()),
        f"\nServer's memory, MB: {memory}. Cores kept busy: {cores}. "
        f"The run: steps per second alone {alone}, beside the class {beside}.\n",
        *listed("Faults", outcome.faults),
        *listed("Answers in red that are no faults", outcome.calm.told + outcome.herd.told),
    ]
    return "\n".join(parts)


def table(title: str, notes: Notes, cpu_s: dict[str, list[float]]) -> Iterator[str]:
    """Kinds of interactions, the slowest at p95 first."""
    yield f"| {title} | n | median, s | p95, s | worst, s | CPU alone, ms |"
    yield "|---|---:|---:|---:|---:|---:|"
    for kind, seconds in sorted(notes.seconds.items(), key=lambda row: -p95(row[1])):
        cpu = f"{1000 * median(cpu_s[kind]):.0f}" if kind in cpu_s else ""
        yield row(kind, seconds, cpu)
    yield row("**all interactions**", every(notes))
    if notes.ticks_s:
        yield row("curves drawn again by a timer", notes.ticks_s)
    yield ""


def row(name: str, seconds: Sequence[float], cpu: str = "") -> str:
    """A kind of interaction in a line."""
    if not seconds:
        return f"| {name} | 0 | | | | |"
    return (
        f"| {name} | {len(seconds)} | {median(seconds):.2f} | {p95(seconds):.2f} | "
        f"{max(seconds):.2f} | {cpu} |"
    )


def aim(figure: Figure) -> str:
    """An aim in a line."""
    said = f"{figure.name}, p95" if len(figure.values) > 1 else figure.name
    verdict = "met" if figure.met else "**missed**"
    return (
        f"| {said} | {figure.p95:.3g} {figure.unit} | {figure.target:g} {figure.unit} | {verdict} |"
    )


def listed(title: str, found: Counter[str]) -> Iterator[str]:
    """What was counted, the most frequent first."""
    if found:
        yield f"{title}:\n"
        yield from (f"- {count} × {text}" for text, count in found.most_common(20))
        yield ""


def kept(path: Path, found: dict[str, Any], outcomes: Sequence[Outcome]) -> None:
    """Keep classes as JSON, every single time included."""
    rows = []
    for outcome in outcomes:
        phases = {"class": outcome.calm, "herd": outcome.herd}
        rows.append(
            {
                "students": outcome.students,
                "aims": [figure.row() for figure in outcome.aims()],
                "seconds": {name: notes.seconds for name, notes in phases.items()},
                "ticks_s": {name: notes.ticks_s for name, notes in phases.items()},
                "told": {name: notes.told for name, notes in phases.items()},
                "cpu_s": outcome.cpu_s,
                "memory_mb": outcome.memory_mb,
                "steps_per_s": outcome.steps_per_s,
                "cores": outcome.cores,
                "faults": outcome.faults,
            }
        )
    write(path, found, rows)
