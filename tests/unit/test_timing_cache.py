"""Measured step times in the cache folder: kept, shared between processes, and never in the way."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from cnnlab.training import timing_cache
from cnnlab.training.timing_cache import BUSY_HOLD_S, StepTimes, keep, read

ONE, OTHER = StepTimes(seconds={"a": 1.0, "b": 2.0}), StepTimes(seconds={"a": 3.0, "b": 1.0})
BUSY = StepTimes(seconds={"a": 9.0, "b": 9.0}, busy=True)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(timing_cache, "_known", {})
    return tmp_path / "cache"


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be another process."""
    monkeypatch.setattr(timing_cache, "_known", {})


def test_times_stay_from_one_process_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keep("run", ONE) == ONE
    forget(monkeypatch)
    assert read() == {"run": ONE}


def test_what_another_process_noted_in_the_meantime_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two runs side by side that both measured compute in the same format."""
    keep("run", ONE)
    forget(monkeypatch)
    assert keep("run", OTHER) == ONE
    assert keep("another", OTHER) == OTHER
    assert read() == {"run": ONE, "another": OTHER}


def test_only_times_taken_beside_other_work_give_way() -> None:
    assert keep("run", BUSY) == BUSY
    # Other work only adds to a time: the shorter one of each is nearer to the truth.
    again = BUSY.model_copy(update={"seconds": {"a": 8.0, "b": 10.0}})
    assert keep("run", again).seconds == read()["run"].seconds == {"a": 8.0, "b": 9.0}
    assert keep("run", ONE) == ONE
    assert keep("run", BUSY) == ONE


def test_times_taken_beside_other_work_hold_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = BUSY.model_copy(update={"taken_s": 1e9})
    # An hour back: the clock was set.
    for passed_s, is_due in ((0, False), (BUSY_HOLD_S + 1, True), (-3600, True)):
        clock = SimpleNamespace(time=lambda now_s=1e9 + passed_s: now_s)
        monkeypatch.setattr(timing_cache, "time", clock)
        assert taken.is_due is is_due
        assert not ONE.is_due


def test_times_without_one_of_the_formats_give_way() -> None:
    keep("run", StepTimes(seconds={"a": 1.0}))
    assert keep("run", OTHER) == OTHER


@pytest.mark.parametrize(
    "content",
    ["", "{", "[1]", '{"a": "b"}', '{"a": null}', '{"a": {"b": 1.0}}', '{"a": 2}', "\xff"],
)
def test_a_damaged_file_is_as_good_as_none(folder: Path, content: str) -> None:
    folder.mkdir()
    (folder / "speeds.json").write_text(content, encoding="latin-1")
    assert read() == {}
    keep("run", ONE)
    assert list(json.loads((folder / "speeds.json").read_text())) == ["run"]


def test_a_folder_that_cannot_be_written_costs_only_the_memory_of_it(folder: Path) -> None:
    folder.write_text("in the way")
    keep("run", ONE)
    assert read() == {"run": ONE}


def test_only_the_newest_times_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing_cache, "REMEMBERED", 3)
    for number in range(6):
        keep(f"run {number}", ONE)
    forget(monkeypatch)
    assert list(read()) == ["run 3", "run 4", "run 5"]
