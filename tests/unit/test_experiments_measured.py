"""What was measured of the experiments: kept with their settings, and written as a document."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cnnlab.experiments import EXPERIMENTS, SEEDS, __main__, measured
from cnnlab.experiments.document import document
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.outcome import Outcome
from cnnlab.experiments.running import run
from tests.conftest import ROOT
from tests.unit.test_experiments import made_up

ONE = EXPERIMENTS["relu-sigmoid"]


def test_every_experiment_was_measured_with_the_settings_that_it_has_now() -> None:
    assert [name for name, one in EXPERIMENTS.items() if measured.of(one) is None] == []
    assert (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8") == document()


def test_one_seed_of_all_arms_ends_within_a_minute() -> None:
    # The shapes are as many pictures; most were measured beside other work there.
    found = {name: measured.of(one, "fashion_mnist") for name, one in EXPERIMENTS.items()}
    assert [name for name, one in found.items() if one is None] == []
    slow = [name for name, one in found.items() if one and one.seconds / len(SEEDS) > 60]
    assert slow == []


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Nothing has been measured yet, and what is goes to another place."""
    monkeypatch.setattr(measured, "FILE", tmp_path / "measured.json")
    monkeypatch.setattr(__main__, "DOCUMENT", tmp_path / "experiments.md")
    measured._all.cache_clear()
    yield tmp_path
    measured._all.cache_clear()


def test_what_is_kept_is_read_again(empty: Path) -> None:
    kept = measured.keep(ONE, "shapes", made_up(ONE, "first"), 12.34)
    measured._all.cache_clear()
    assert measured.of(ONE) == kept
    assert kept.seconds == 12.3
    assert kept.conclusion == "With 3 seeds: as claimed."
    assert measured.of(ONE, "fashion_mnist") is None
    assert [file.name for file in empty.iterdir()] == ["measured.json"]


@pytest.mark.usefixtures("empty")
def test_other_settings_were_not_measured() -> None:
    measured.keep(ONE, "shapes", made_up(ONE, "first"), 1)
    changed = replace(ONE, run={"budget_s": 1.0})
    assert measured.of(changed) is None
    # Words may change.
    assert measured.of(replace(ONE, why="Because.")) is not None


def test_the_command_writes_the_document(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def done(experiment: Experiment, *_: object) -> list[Outcome]:
        return made_up(experiment, "first")

    monkeypatch.setattr(__main__, "run", done)
    assert __main__.main(["table", "--only", "relu-sigmoid"]) == 0
    text = (empty / "experiments.md").read_text(encoding="utf-8")
    assert text == document()
    assert "| [relu-sigmoid](#relu-sigmoid) | Shapes | With 3 seeds: as claimed. |" in text
    assert "| [vgg-depth](#vgg-depth) | Shapes | not measured | |" in text
    assert __main__.main(["table", "--only", "nothing"]) == 1


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(EXPERIMENTS)


def test_an_experiment_is_carried_out_in_a_terminal() -> None:
    """For real, but short: two processes train one seed of two arms."""
    few = {"train_size": 64, "epochs": 1, "batch_size": 32}
    short = replace(ONE, run=few, probes=())
    ended: list[tuple[int, int]] = []
    found = run(short, [0], done=lambda *counts: ended.append(counts))
    assert ended == [(1, 2), (2, 2)]
    assert [one.status for one in found] == ["finished", "finished"]
    assert [one.config.options.activation for one in found] == ["relu", "sigmoid"]  # type: ignore[attr-defined]
    judged = short.judge(found)
    assert judged is not None
    assert judged.seeds == 1
