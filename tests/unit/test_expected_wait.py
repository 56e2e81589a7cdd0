"""The waiting line is fair to visitors, whatever they pile up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.jobs.fair_queue import FairQueue, expected_wait_s


def fill(*jobs: str) -> FairQueue:
    """A line of jobs such as "a1": the first job of visitor a."""
    line = FairQueue()
    for job in jobs:
        line.add(job[0], job)
    return line


def serve(line: FairQueue) -> list[str]:
    """What one slot does, one job after the other."""
    done = []
    while job := line.take():
        done.append(job)
        line.done(job[0])
    return done


def test_visitors_take_turns_whatever_they_pile_up() -> None:
    assert serve(fill("a1", "a2", "a3", "b1", "c1", "b2")) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_the_order_that_is_told_is_the_order_that_is_kept() -> None:
    line = fill("a1", "a2", "b1", "c1", "c2", "c3")
    told = list(line)
    assert serve(line) == told


def test_whoever_comes_during_somebodys_job_goes_before_their_next() -> None:
    line = fill("a1", "a2", "a3")
    assert line.take() == "a1"
    line.add("b", "b1")
    assert list(line) == ["b1", "a2", "a3"]
    line.done("a")
    assert line.take() == "b1"


def test_a_second_slot_serves_somebody_else_first() -> None:
    line = fill("a1", "a2", "b1")
    assert [line.take(), line.take(), line.take()] == ["a1", "b1", "a2"]


def test_a_free_slot_does_not_idle_when_only_one_visitor_waits() -> None:
    line = fill("a1", "a2")
    assert [line.take(), line.take(), line.take()] == ["a1", "a2", None]


def test_a_late_crowd_does_not_starve_a_second_job() -> None:
    line = fill("a1", "a2")
    assert line.take() == "a1"
    line.add("b", "b1")
    line.done("a")
    for late in "cdefg":
        line.add(late, f"{late}1")
    assert serve(line) == ["b1", "a2", "c1", "d1", "e1", "f1", "g1"]


def test_a_job_that_does_not_fit_lets_others_pass() -> None:
    line = fill("a1", "a2", "b1")
    assert line.take(lambda job: job == "a2") == "a2"
    assert line.take(lambda job: job == "z") is None
    assert line.waiting("a") == 1


def test_removing() -> None:
    line = fill("a1", "b1")
    assert line.remove("a1")
    assert not line.remove("a1")
    assert line.waiting("a") == 0
    assert list(line) == ["b1"]


@given(st.lists(st.sampled_from("abcd"), max_size=30))
def test_nobody_is_served_twice_while_another_waits_for_a_first_time(visitors: list[str]) -> None:
    line = fill(*(f"{visitor}{i}" for i, visitor in enumerate(visitors)))
    done = serve(line)
    assert len(done) == len(visitors)
    first_turns = [job[0] for job in done[: len(set(visitors))]]
    assert first_turns == list(dict.fromkeys(visitors))


@pytest.mark.parametrize(
    ("free_in_s", "ahead", "each_s", "expected"),
    [
        ([10.0], 0, None, 10.0),
        ([10.0], 2, 30.0, 70.0),
        ([10.0, 20.0], 1, 30.0, 20.0),
        ([10.0, 20.0], 2, 30.0, 40.0),
        ([10.0], 1, None, None),
        ([None], 0, None, None),
        ([None], 0, 30.0, 30.0),
        ([], 0, 30.0, None),
    ],
)
def test_expected_wait(
    free_in_s: list[float | None], ahead: int, each_s: float | None, expected: float | None
) -> None:
    assert expected_wait_s(free_in_s, ahead, each_s) == expected
