"""The table of the exercises: rows that were not measured anew stay as they were."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import exercises as benchmark
from cnnlab.exercises import EXERCISES


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "exercises.md"
    monkeypatch.setattr(benchmark, "PAGE", file)
    return file


def test_one_exercise_writes_its_rows_and_keeps_the_others(page: Path) -> None:
    assert benchmark.main(["--id", "vgg-width"]) == 0
    before = page.read_text(encoding="utf-8")
    assert "| vgg-width | parameters of fc2: 32 base channels is 1 times" in before
    assert "16 base channels 16,781,312; 32 base channels 16,781,312 | yes |" in before
    assert benchmark.main(["--id", "nin-pointwise"]) == 0
    after = page.read_text(encoding="utf-8")
    kept = [line for line in before.splitlines() if "vgg-width" in line]
    assert [line for line in after.splitlines() if "vgg-width" in line] == kept
    assert after.index("## 9.2 VGG") < after.index("## 9.3 NiN") < after.index("| nin-pointwise |")


def test_a_quick_look_writes_nothing(page: Path) -> None:
    assert benchmark.main(["--id", "vgg-width", "--quick"]) == 0
    assert not page.exists()


def test_a_promise_that_does_not_hold_is_said(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise = EXERCISES["vgg-width"]
    narrow, wide = exercise.arms
    unchanged = replace(exercise, arms=(narrow, replace(wide, changes={})))
    monkeypatch.setitem(EXERCISES, exercise.id, unchanged)
    assert benchmark.main(["--id", "vgg-width"]) == 1
    assert "| NO |" in page.read_text(encoding="utf-8")
    assert "promises do not hold" in capsys.readouterr().out


def test_an_unknown_exercise_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        benchmark.main(["--id", "vgg-wings"])
    assert "vgg-wings" in capsys.readouterr().err
