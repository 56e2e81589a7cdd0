"""When waiting jobs begin, with shares of one device or of several."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.jobs.expected_times import Demand, begin_times_s, known

WHOLE, HALF = Fraction(1), Fraction(1, 2)
Jobs = list[tuple[float, Fraction]]
NEVER = math.inf


@pytest.mark.parametrize(
    ("devices", "running", "waiting", "begins"),
    [
        (1, [(10, WHOLE)], [(30, WHOLE), (30, WHOLE), (5, WHOLE)], [10, 40, 70]),
        (2, [(10, WHOLE), (20, WHOLE)], [(30, WHOLE), (30, WHOLE), (5, WHOLE)], [10, 20, 40]),
        (1, [], [(30, HALF), (10, HALF), (10, HALF), (10, WHOLE)], [0, 0, 10, 30]),
        (1, [(5, HALF)], [(10, WHOLE), (10, HALF)], [5, 15]),
        (1, [(NEVER, WHOLE)], [(1, WHOLE)], [NEVER]),
        (1, [(4, WHOLE)], [(NEVER, WHOLE), (1, WHOLE)], [4, NEVER]),
        (1, [], [], []),
    ],
)
def test_begin_times(devices: int, running: Jobs, waiting: Jobs, begins: list[float]) -> None:
    found = begin_times_s(
        devices, [Demand(*job) for job in running], [Demand(*job) for job in waiting]
    )
    assert found == begins


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 4)), max_size=20), st.integers(1, 3))
def test_nobody_overtakes_and_no_device_is_overfull(
    jobs: list[tuple[int, int]], devices: int
) -> None:
    demands = [Demand(seconds, Fraction(1, part)) for seconds, part in jobs]
    begins = begin_times_s(devices, [], demands)
    assert begins == sorted(begins)
    for now in begins:
        busy = [
            demand.share
            for begin, demand in zip(begins, demands, strict=True)
            if begin <= now < begin + demand.seconds
        ]
        assert sum(busy) <= devices


def test_what_nobody_knows_is_none() -> None:
    assert known(3.5) == 3.5
    assert known(math.inf) is None
