"""Speed of a training loop, and rounds in which several loops take turns."""

import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Rounds that differ by more than this are measured again: something else used the machine.
MOST_SPREAD = 0.3


@dataclass(frozen=True)
class Speed:
    """What a loop does. Units: pictures per second, page faults per step."""

    images_per_s: float
    faults: float


class Meter:
    """Measures a loop from when it is made."""

    def __init__(self) -> None:
        self._begin_faults = page_faults()
        self._begin_s = time.perf_counter()

    def read(self, steps: int, batch_size: int) -> Speed:
        """The speed since the beginning, in which so many steps were done."""
        time_s = time.perf_counter() - self._begin_s
        return Speed(steps * batch_size / time_s, (page_faults() - self._begin_faults) / steps)


def page_faults() -> int:
    """Pages that this process was given by the kernel so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


@dataclass(frozen=True)
class Rounds:
    """Speeds of several loops in rounds that followed each other; `steady` where they agree."""

    speeds: dict[str, list[Speed]]
    steady: bool

    def images_per_s(self, way: str) -> float:
        """The median of the rounds."""
        return statistics.median(speed.images_per_s for speed in self.speeds[way])

    def faults(self, way: str) -> float:
        """The median of the rounds."""
        return statistics.median(speed.faults for speed in self.speeds[way])

    def ratio(self, way: str, other: str) -> float:
        """The median of the ratios within a round."""
        pairs = zip(self.speeds[way], self.speeds[other], strict=True)
        return statistics.median(a.images_per_s / b.images_per_s for a, b in pairs)


def take_turns(ways: Mapping[str, Callable[[], Speed]], rounds: int, most: int) -> Rounds:
    """Measure each way once a round, until the last `rounds` agree, or `most` were done."""
    found: dict[str, list[Speed]] = {name: [] for name in ways}
    steady = False
    for number in range(1, most + 1):
        for name, measure in ways.items():
            found[name] = [*found[name], measure()][-rounds:]
        steady = all(spread(speeds) <= MOST_SPREAD for speeds in found.values())
        if number >= rounds and steady:
            break
    return Rounds(found, steady)


def spread(speeds: list[Speed]) -> float:
    """By how much the fastest is faster than the slowest, as a share."""
    values = [speed.images_per_s for speed in speeds]
    return max(values) / min(values) - 1
