"""The waiting line: fair among visitors, complete, and honest about its order."""

from hypothesis import given
from hypothesis import strategies as st

from cnnlab.jobs.fair_queue import FairQueue

JOBS = st.lists(st.sampled_from("abcd"), max_size=30)


def filled(visitors: list[str]) -> tuple[FairQueue, dict[str, str]]:
    line = FairQueue()
    owners = {f"{number}": visitor for number, visitor in enumerate(visitors)}
    for job, visitor in owners.items():
        line.add(visitor, job)
    return line, owners


def taken(line: FairQueue) -> list[str]:
    return list(iter(line.take, None))


def test_nobody_waits_behind_anothers_pile() -> None:
    line, _ = filled(["pile", "pile", "pile", "late"])
    assert taken(line) == ["0", "3", "1", "2"]


@given(JOBS)
def test_every_job_is_taken_once_and_a_visitors_own_in_order(visitors: list[str]) -> None:
    line, owners = filled(visitors)
    order = taken(line)
    assert sorted(order, key=int) == list(owners)
    for visitor in set(visitors):
        own = [int(job) for job in order if owners[job] == visitor]
        assert own == sorted(own)


@given(JOBS)
def test_nobody_is_served_twice_while_another_waits(visitors: list[str]) -> None:
    line, owners = filled(visitors)
    order = [owners[job] for job in taken(line)]
    for i, visitor in enumerate(order):
        again = order.index(visitor, i + 1) if visitor in order[i + 1 :] else None
        if again is not None:
            assert set(order[again:]) <= {*order[i:again]}, "somebody waited through two turns"


@given(JOBS)
def test_the_order_shown_is_the_order_taken(visitors: list[str]) -> None:
    line, _ = filled(visitors)
    shown = list(line)
    assert shown == taken(line)


@given(JOBS, st.data())
def test_a_removed_job_is_never_taken(visitors: list[str], data: st.DataObject) -> None:
    line, owners = filled(visitors)
    gone = data.draw(st.sets(st.sampled_from(sorted(owners)))) if owners else set()
    assert all(line.remove(job) for job in gone)
    assert not any(line.remove(job) for job in gone)
    assert sum(line.waiting(visitor) for visitor in "abcd") == len(owners) - len(gone)
    assert set(taken(line)) == set(owners) - gone
