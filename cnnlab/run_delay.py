"""How long this process was ready to run and had no core, because others had them."""

import time
from pathlib import Path
from typing import NamedTuple

THREADS = Path("/proc/self/task")


class Clock(NamedTuple):
    """Wall time, processor time and run delay of this process so far. Units: seconds.

    The delay is the sum over its threads; None where the system does not count it.
    """

    wall_s: float
    processor_s: float
    delay_s: float | None


def now() -> Clock:
    """The clock's reading."""
    return Clock(time.perf_counter(), time.process_time(), delay_s())


def share_lost(begin: Clock, end: Clock) -> float:
    """The run delay between two readings, as a share of the wall time.

    Where it is not counted, the time in which not even one thread was running: that misses the
    delay of one of several.
    """
    wall_s = max(end.wall_s - begin.wall_s, 1e-9)
    if begin.delay_s is not None and end.delay_s is not None:
        return max(0.0, end.delay_s - begin.delay_s) / wall_s
    return max(0.0, 1 - (end.processor_s - begin.processor_s) / wall_s)


def delay_s(threads: Path = THREADS) -> float | None:
    """The run delay of all threads so far; None where the system does not count it.

    Source: Linux, Documentation/scheduler/sched-stats.rst: processor time, run delay (both in
    nanoseconds) and time slices of a thread.
    """
    delays = []
    for file in threads.glob("*/schedstat"):
        try:
            delays.append(int(file.read_text(encoding="ascii").split()[1]))
        except (OSError, ValueError, IndexError):
            # The thread has ended.
            continue
    return sum(delays) / 1e9 if delays else None
