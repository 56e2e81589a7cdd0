"""Figures as the benchmarks print them: a machine, medians, targets, a table and JSON."""

import json
import math
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from cnnlab import devices


def machine() -> dict[str, Any]:
    """What the figures were taken on, and how busy it was with other things."""
    return {
        "device": devices.available()[0].title,
        "processor": devices.processor(),
        "instructions": instructions(),
        "cores": devices.usable_cores(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def instructions() -> str:
    """The vector instructions that PyTorch uses, and whether they multiply in bfloat16."""
    has = devices.has_bfloat16(torch.device("cpu"))
    used = torch.backends.cpu.get_cpu_capability()
    return f"{used} {'with' if has else 'without'} bfloat16"


def heading(found: dict[str, Any]) -> str:
    """A machine in one line."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found.items())


def p95(values: Sequence[float]) -> float:
    """The value that 95 of 100 do not exceed; of fewer than 20 values, the largest."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


@dataclass(frozen=True)
class Figure:
    """A quantity that was measured several times, and the most that it may be.

    `judged` says whether the target is for the median or the p95.
    """

    name: str
    unit: str
    values: Sequence[float]
    target: float | None = None
    judged: str = "p95"

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        return p95(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.target is None:
            return None
        return (self.median if self.judged == "median" else self.p95) <= self.target

    def line(self) -> str:
        """The figure as a row of the table."""
        aim = "" if self.target is None else f"{self.judged} <= {self.target:g} {self.unit}"
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        return (
            f"{self.name:<48} {len(self.values):>3} {self.median:>9.4g} {self.p95:>9.4g} "
            f"{self.unit:<3} {aim:<18} {verdict}"
        ).rstrip()

    def row(self) -> dict[str, Any]:
        """The figure for JSON, every single value included."""
        found = {"median": self.median, "p95": self.p95, "met": self.met}
        return asdict(self) | found | {"values": [round(value, 5) for value in self.values]}


HEADER = f"{'figure':<48} {'n':>3} {'median':>9} {'p95':>9} {'':<3} {'target':<18}".rstrip()


def report(found: dict[str, Any], figures: Iterable[Figure], path: Path | None) -> None:
    """Print figures as they come, and keep them in a file where one is asked for."""
    print(HEADER)
    rows = []
    for figure in figures:
        print(figure.line(), flush=True)
        rows.append(figure.row())
        if path:
            # After every row: what is measured stays, however the next one ends.
            write(path, found, rows)


def write(path: Path, found: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Keep a machine and its figures as JSON."""
    path.write_text(json.dumps({"machine": found, "rows": list(rows)}, indent=1))
