"""Time without a core is told from time that a process used itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from cnnlab import run_delay
from cnnlab.run_delay import Clock


def test_the_delay_of_all_threads_counts(tmp_path: Path) -> None:
    for thread, line in {
        "7": "10 2000000000 3",
        "8": "0 500000000 1",
        "9": "",
        "10": "odd",
    }.items():
        (tmp_path / thread).mkdir()
        (tmp_path / thread / "schedstat").write_text(line)
    assert run_delay.delay_s(tmp_path) == 2.5
    assert run_delay.delay_s(tmp_path / "nothing here") is None


@pytest.mark.parametrize(
    ("begin", "end", "lost"),
    [
        (Clock(0, 0, 0), Clock(2, 1, 1), 0.5),
        (Clock(5, 1, 3), Clock(7, 3, 3), 0),
        # A thread that ended took its delay along.
        (Clock(0, 0, 4), Clock(1, 1, 3), 0),
        # Where nobody counts it: one thread, and two.
        (Clock(0, 0, None), Clock(4, 1, None), 0.75),
        (Clock(0, 0, None), Clock(1, 2, None), 0),
    ],
)
def test_share_lost(begin: Clock, end: Clock, lost: float) -> None:
    assert run_delay.share_lost(begin, end) == pytest.approx(lost)


ON_ONE_CORE = """
import os, time
core = min(os.sched_getaffinity(0))
os.sched_setaffinity(0, {core})
from cnnlab import run_delay
begin = run_delay.now()
while time.perf_counter() < begin.wall_s + 0.4:
    pass
print(run_delay.share_lost(begin, run_delay.now()))
"""


@pytest.mark.skipif(
    sys.platform != "linux" or run_delay.delay_s() is None, reason="the kernel does not count it"
)
def test_two_processes_on_one_core_lose_each_others_time() -> None:
    """Other work on the machine can only make them lose more."""
    both = [
        subprocess.Popen([sys.executable, "-c", ON_ONE_CORE], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    lost = [float(process.communicate()[0]) for process in both]
    assert 0.3 < sum(lost) < 2
