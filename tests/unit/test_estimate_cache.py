"""Estimates are measured once; again only where other work made them longer."""

import pytest

from cnnlab.jobs import estimate_cache
from cnnlab.jobs.estimate_cache import RETAKE_S, WANTED_S, EstimateCache
from cnnlab.training.estimate import Estimate

FREE = Estimate(precision="float32", step_s=1.0)
BUSY = Estimate(precision="float32", step_s=2.5, busy=True)


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> EstimateCache:
    return EstimateCache(clock)


def test_one_question_at_a_time_and_none_once_it_is_known(
    cache: EstimateCache, clock: Clock
) -> None:
    assert [cache.ask("a"), cache.ask("a"), cache.ask("b")] == [True, False, True]
    cache.note("a", None)
    assert cache.get("a") is None
    assert cache.ask("a")
    cache.note("a", FREE)
    clock.now_s += 10 * RETAKE_S
    assert not cache.ask("a")
    assert cache.get("a") == FREE


def test_what_was_taken_beside_other_work_is_taken_again(
    cache: EstimateCache, clock: Clock
) -> None:
    cache.note("a", BUSY)
    assert not cache.ask("a")
    for answer in (None, BUSY, FREE):
        clock.now_s += RETAKE_S
        assert cache.ask("a")
        assert cache.get("a") == BUSY
        cache.note("a", answer)
    assert cache.get("a") == FREE
    clock.now_s += RETAKE_S
    assert not cache.ask("a")


def test_of_two_times_taken_beside_other_work_the_shorter_one_stays(cache: EstimateCache) -> None:
    slower = BUSY.model_copy(update={"step_s": 4.0})
    for answer in (slower, BUSY, slower):
        cache.note("a", answer)
    assert cache.get("a") == BUSY


def test_a_problem_is_an_answer(cache: EstimateCache, clock: Clock) -> None:
    full = Estimate(problem="The device ran out of memory.")
    cache.note("a", BUSY)
    cache.note("a", full)
    clock.now_s += RETAKE_S
    assert cache.get("a") == full
    assert not cache.ask("a")


def test_only_the_newest_kinds_are_kept(
    cache: EstimateCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate_cache, "REMEMBERED", 3)
    for key in "abcd":
        cache.note(key, FREE)
    assert [key for key in "abcd" if cache.get(key)] == ["b", "c", "d"]


def test_of_thirty_knob_positions_only_the_last_is_measured(
    cache: EstimateCache, clock: Clock
) -> None:
    sent = []
    for position in range(30):
        clock.now_s += WANTED_S / 4
        sent += [key for key in [f"knob at {position}"] if cache.ask(key)]
    # The first two went out at once; then their page asked for others, and only the newest.
    assert sent == ["knob at 0", "knob at 1"]
    clock.now_s += WANTED_S + 0.1
    for key in sent:
        cache.note(key, FREE)
    assert cache.ask("knob at 29")


def test_among_pages_the_longest_wanted_comes_first(cache: EstimateCache, clock: Clock) -> None:
    assert cache.ask("a")
    assert cache.ask("b")
    for page in ("c", "d", "c", "d"):
        clock.now_s += 0.5
        assert not cache.ask(page)
    cache.note("a", FREE)
    assert not cache.ask("d")
    assert cache.ask("c")
    cache.note("b", FREE)
    assert cache.ask("d")


def test_what_a_process_died_over_is_not_asked_again(cache: EstimateCache) -> None:
    assert cache.ask("too large")
    assert cache.ask("harmless")
    cache.broke("The process ended.")
    assert cache.get("too large") == Estimate(problem="The process ended.")
    assert not cache.ask("too large")
    assert cache.get("harmless") is None
    assert cache.ask("harmless")


def test_a_process_that_ends_over_a_run_blames_no_question(
    cache: EstimateCache, clock: Clock
) -> None:
    assert cache.waits_s() == 0
    assert cache.ask("a")
    clock.now_s += 3
    assert cache.waits_s() == 3
    cache.interrupted()
    assert cache.waits_s() == 0
    assert cache.ask("a")
