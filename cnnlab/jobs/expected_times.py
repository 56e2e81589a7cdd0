"""Waiting times of the jobs in the queue, first come, first served: its schedule in advance."""

import heapq
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple


class Demand(NamedTuple):
    """How long a job will take, `math.inf` where nobody knows, and its share of a device."""

    seconds: float
    share: Fraction


def begin_times_s(
    devices: int, running: Iterable[Demand], waiting: Sequence[Demand]
) -> list[float]:
    """Seconds until each waiting job begins; `math.inf` where nobody knows.

    No job overtakes one before it that needs more room.
    """
    ends = [(demand.seconds, demand.share) for demand in running]
    heapq.heapify(ends)
    free = devices - sum((share for _, share in ends), Fraction(0))
    now_s, found = 0.0, []
    for seconds, share in waiting:
        while free < share and ends:
            now_s, given_back = heapq.heappop(ends)
            free += given_back
        found.append(now_s)
        free -= share
        heapq.heappush(ends, (now_s + seconds, share))
    return found


def known(seconds: float) -> float | None:
    """None instead of infinity, for a reader."""
    return seconds if math.isfinite(seconds) else None
