"""The queue: fair among visitors, complete, and honest about its order."""

from hypothesis import given
from hypothesis import strategies as st

from cnnlab.jobs.fair_queue import FairQueue

# Submissions of one job or several, by one of four visitors.
SUBMISSIONS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 4)), max_size=15)
Submissions = list[tuple[str, int]]


def filled(submissions: Submissions) -> tuple[FairQueue, dict[str, str]]:
    """A queue, and the visitor of each job; jobs are numbered as they came."""
    queue, owners = FairQueue(), dict[str, str]()
    for visitor, size in submissions:
        jobs = [str(len(owners) + i) for i in range(size)]
        owners |= dict.fromkeys(jobs, visitor)
        queue.add(visitor, jobs)
    return queue, owners


def singles(*jobs: str) -> FairQueue:
    """A queue of jobs such as "a1": the first job of visitor a."""
    queue = FairQueue()
    for job in jobs:
        queue.add(job[0], [job])
    return queue


def serve(queue: FairQueue, owners: dict[str, str] | None = None) -> list[str]:
    """What one slot does, one job after the other."""
    done = []
    while job := queue.take():
        done.append(job)
        queue.done(owners[job] if owners else job[0])
    return done


def test_visitors_take_turns_whatever_they_pile_up() -> None:
    queue = singles("a1", "a2", "a3", "b1", "c1", "b2")
    assert serve(queue) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_another_visitor_gets_a_turn_between_two_jobs_of_a_group() -> None:
    queue = FairQueue()
    queue.add("a", ["a1", "a2", "a3", "a4"])
    assert [queue.take(), queue.take()] == ["a1", "a2"]
    queue.add("b", ["b1"])
    queue.done("a")
    assert queue.take() == "b1"
    queue.done("b")
    assert serve(queue) == ["a3", "a4"]


def test_a_group_is_one_submission_and_waits_until_its_first_job_begins() -> None:
    queue = FairQueue()
    queue.add("a", ["a1", "a2", "a3"])
    queue.add("a", ["a4"])
    assert queue.waiting("a") == 2
    assert queue.take() == "a1"
    assert queue.waiting("a") == 1
    assert queue.waiting("b") == 0


def test_whoever_comes_during_somebodys_job_goes_before_their_next() -> None:
    queue = singles("a1", "a2", "a3")
    assert queue.take() == "a1"
    queue.add("b", ["b1"])
    assert list(queue) == ["b1", "a2", "a3"]
    queue.done("a")
    assert queue.take() == "b1"


def test_a_second_slot_serves_somebody_else_first() -> None:
    queue = singles("a1", "a2", "b1")
    assert [queue.take(), queue.take(), queue.take()] == ["a1", "b1", "a2"]


def test_a_free_slot_does_not_idle_when_only_one_visitor_waits() -> None:
    queue = singles("a1", "a2")
    assert [queue.take(), queue.take(), queue.take()] == ["a1", "a2", None]


def test_a_late_crowd_does_not_starve_a_second_job() -> None:
    queue = singles("a1", "a2")
    assert queue.take() == "a1"
    queue.add("b", ["b1"])
    queue.done("a")
    for late in "cdefg":
        queue.add(late, [f"{late}1"])
    assert serve(queue) == ["b1", "a2", "c1", "d1", "e1", "f1", "g1"]


def test_a_job_that_does_not_fit_lets_others_pass() -> None:
    queue = singles("a1", "a2", "b1")
    assert queue.take(lambda job: job == "a2") == "a2"
    assert queue.take(lambda job: job == "z") is None
    assert list(queue) == ["b1", "a1"]


@given(SUBMISSIONS)
def test_every_job_is_taken_once_and_a_visitors_own_in_order(submissions: Submissions) -> None:
    queue, owners = filled(submissions)
    order = serve(queue, owners)
    assert sorted(order, key=int) == list(owners)
    for visitor in "abcd":
        own = [int(job) for job in order if owners[job] == visitor]
        assert own == sorted(own)


@given(SUBMISSIONS)
def test_nobody_is_served_twice_while_another_waits(submissions: Submissions) -> None:
    """Also not by a group, however large it is."""
    queue, owners = filled(submissions)
    order = [owners[job] for job in serve(queue, owners)]
    for i, visitor in enumerate(order):
        if visitor in order[i + 1 :]:
            again = order.index(visitor, i + 1)
            assert set(order[again:]) <= {*order[i:again]}, "somebody waited through two turns"


@given(SUBMISSIONS)
def test_the_order_shown_is_the_order_taken(submissions: Submissions) -> None:
    queue, owners = filled(submissions)
    shown = list(queue)
    assert serve(queue, owners) == shown


@given(SUBMISSIONS, st.data())
def test_a_removed_job_is_never_taken(submissions: Submissions, data: st.DataObject) -> None:
    queue, owners = filled(submissions)
    gone = data.draw(st.sets(st.sampled_from(sorted(owners)))) if owners else set()
    assert all(queue.remove(job) for job in gone)
    assert not any(queue.remove(job) for job in gone)
    assert set(serve(queue, owners)) == set(owners) - gone
    assert [queue.waiting(visitor) for visitor in "abcd"] == [0] * 4


def test_a_preferred_job_goes_before_all_others() -> None:
    queue = singles("a1", "a2", "b1", "c1")
    queue.prefer("c1")
    queue.prefer("a2")
    queue.prefer("unknown")
    assert list(queue) == ["a2", "c1", "a1", "b1"]
    assert serve(queue) == ["a2", "c1", "b1", "a1"]
    assert list(queue) == []


def test_a_preferred_job_that_is_taken_out_leaves_nothing_behind() -> None:
    queue = singles("a1", "b1")
    queue.prefer("b1")
    assert queue.remove("b1")
    queue.add("b", ["b1"])
    assert list(queue) == ["a1", "b1"]
