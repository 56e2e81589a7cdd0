"""What all visitors share: made once, bounded, and nobody waits for what others ask for."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cnnlab.errors import ConfigError, WeightsError
from cnnlab.kept import MOST_ERRORS, Kept

PATIENCE_S = 10


def test_thirty_who_ask_at_once_have_it_made_once() -> None:
    kept, together, made = Kept[object](30), threading.Barrier(30), []

    def make() -> object:
        made.append(object())
        # The others ask meanwhile.
        threading.Event().wait(0.05)
        return made[-1]

    def ask(_: int) -> object:
        together.wait(PATIENCE_S)
        return kept.get("a network", make)

    with ThreadPoolExecutor(30) as visitors:
        found = set(visitors.map(ask, range(30)))
    assert len(made) == 1
    assert found == set(made)
    assert kept.get("another network", make) is not made[0], "another key, another value"


def test_who_asks_for_another_is_not_held_up() -> None:
    kept, begun, goes_on = Kept[str](30), threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert goes_on.wait(PATIENCE_S)
        return "slow"

    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(kept.get, "slow", slow)
        assert begun.wait(PATIENCE_S)
        assert kept.get("fast", lambda: "fast") == "fast"
        assert not waiting.done()
        assert "slow" not in kept, "it is being made still"
        goes_on.set()
        assert waiting.result(PATIENCE_S) == "slow"


def test_together_they_weigh_no_more_than_the_limit() -> None:
    kept = Kept[str](10, len)
    for key in "abc":
        kept.get(key, lambda: "four")
        kept.get("a", lambda: "four")
    assert kept.weight == 8
    assert [key for key in "abc" if key in kept] == ["a", "c"], "b was not asked for the longest"
    kept.get("d", lambda: "far too heavy")
    assert [key for key in "abcd" if key in kept] == ["d"], "who made it asks again at once"
    kept.get("e", lambda: "four")
    assert [key for key in "abcde" if key in kept] == ["e"]


def test_why_something_cannot_be_had_is_kept_too() -> None:
    kept, made = Kept[str](30), []

    def make() -> str:
        made.append(1)
        raise ConfigError("A picture of 5×5 pixels is too small.")

    raised = []
    for _ in range(3):
        with pytest.raises(ConfigError, match="5×5") as error:
            kept.get("small", make)
        raised.append(error.value)
    assert len(made) == 1
    # Whoever catches one adds to its traceback.
    assert len(set(map(id, raised))) == 3
    assert kept.weight == 1


def test_reasons_are_bounded_too() -> None:
    kept = Kept[str](16 * 2**20, len)

    def make() -> str:
        raise ConfigError("There is no such network.")

    for key in range(2 * MOST_ERRORS):
        with pytest.raises(ConfigError):
            kept.get(key, make)
    assert sum(key in kept for key in range(2 * MOST_ERRORS)) == MOST_ERRORS
    assert 2 * MOST_ERRORS - 1 in kept


def test_what_went_wrong_by_accident_is_tried_again() -> None:
    kept = Kept[str](30)

    def fail() -> str:
        raise OSError("no more files")

    with pytest.raises(OSError, match="files"):
        kept.get("a", fail)
    assert "a" not in kept
    assert kept.weight == 0
    assert kept.get("a", lambda: "made") == "made"


def test_who_waited_for_what_failed_makes_it() -> None:
    kept, begun, fails = Kept[str](30), threading.Event(), threading.Event()

    def fail() -> str:
        begun.set()
        assert fails.wait(PATIENCE_S)
        raise MemoryError

    with ThreadPoolExecutor(2) as visitors:
        first = visitors.submit(kept.get, "a", fail)
        assert begun.wait(PATIENCE_S)
        second = visitors.submit(kept.get, "a", lambda: "made")
        fails.set()
        with pytest.raises(MemoryError):
            first.result(PATIENCE_S)
        assert second.result(PATIENCE_S) == "made"


def test_an_error_says_what_kind_it_is() -> None:
    kept = Kept[str](30)

    def make() -> str:
        raise WeightsError("They are damaged.")

    for _ in range(2):
        with pytest.raises(WeightsError, match="damaged"):
            kept.get("weights", make)


def test_what_is_being_made_is_not_let_go_of() -> None:
    kept, made = Kept[str](2), []
    begun, may_end = threading.Event(), threading.Event()

    def slow() -> str:
        made.append(1)
        begun.set()
        assert may_end.wait(20)
        return "slow"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kept.get, "slow", slow)
        assert begun.wait(20)
        for key in range(5):
            kept.get(key, lambda: "quick")
        second = pool.submit(kept.get, "slow", slow)
        may_end.set()
        assert {first.result(20), second.result(20)} == {"slow"}
    assert made == [1]
    assert kept.weight <= 3
