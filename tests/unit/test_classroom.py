"""A class of two on a real server, and what a student decides by chance."""

import asyncio
import io
import random
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import classroom, readers
from benchmarks.classroom_report import Outcome, markdown
from benchmarks.live_page import link_data, serving
from benchmarks.student import PLACES, STAY, WITHIN, Notes, next_step, think_s


def test_the_same_seed_does_the_same() -> None:
    first, second = ([next_step(random.Random(seed), "Train") for seed in range(30)] for _ in "ab")
    assert first == second
    assert len(set(first)) > 3


def test_a_student_stays_where_there_is_something_to_do() -> None:
    chance = random.Random(1)
    steps = Counter(next_step(chance, "Train") for _ in range(2000))
    stayed = sum(steps[name] for name in WITHIN["Train"])
    assert stayed / 2000 == pytest.approx(STAY, abs=0.05)
    assert steps["Train"] == 0  # it is there
    assert set(steps) == {*PLACES, *WITHIN["Train"]} - {"Train"}
    # A page of text has nothing to move.
    assert {next_step(chance, "Read") for _ in range(500)} == set(PLACES) - {"Read"}


def test_thinking_takes_about_as_long_as_asked_for() -> None:
    chance = random.Random(2)
    times = [think_s(chance, 6) for _ in range(500)]
    assert min(times) >= 3
    assert max(times) <= 9
    assert sum(times) / 500 == pytest.approx(6, rel=0.05)


def test_answers_are_told_from_faults() -> None:
    notes = Notes()
    notes.complain("Train knob", ":material/tune: A picture of 9×9 pixels is too small.")
    notes.complain("Start", "You already have 3 runs waiting. Stop one of them.")
    assert (notes.told.total(), notes.faults.total()) == (2, 0)
    notes.complain("Photo upload", ":material/image_not_supported: This is no picture.")
    notes.complain("Read", "exception: KeyError")
    notes.complain("Runs", ":material/error: The process that trains has died.")
    assert notes.faults.total() == 3


def test_the_report_says_what_was_missed() -> None:
    outcome = Outcome(2, steps_per_s=[10, 6])
    outcome.memory_mb = {"before": 900, "peak": 920, "left": 905}
    outcome.calm.add("Read", 0.5)
    outcome.calm.add("Read", 1.2)
    outcome.log("x\nTraceback (most recent call last):\n  File a\nKeyError: 'b'\nmore\n")
    met = {figure.name: figure.met for figure in outcome.aims()}
    assert met == {
        "an interaction with think time": False,
        "more memory per session": True,
        "memory that stays, of that before": True,
        "speed that a run loses": False,
        "faults": False,
        "lost sessions": True,
    }
    outcome.steps_per_s = [10, None]  # it was over too soon
    assert "beside the class over" in markdown(outcome)
    outcome.steps_per_s = [10, 6]
    text = markdown(outcome)
    assert "| Read | 2 | 0.85 | 1.20 | 1.20 |  |" in text
    assert "- 1 × log: KeyError: 'b'" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--students", "0"], "--students has 0"),
        (["--seconds", "0"], "--seconds is 0"),
        (["--think", "0"], "--think has to be more than 0"),
        (["--sections", "vgg19"], "invalid choice: 'vgg19'"),
    ],
)
def test_a_class_of_nobody_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        classroom.parse(arguments)
    assert message in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="clocks of other processes are Linux's own")
def test_two_students_at_work_meet_no_fault(tmp_path: Path) -> None:
    settings = "--seconds 3 --think 0.2 --alone 1 --run-alone 1 --rest 0 --herd-rounds 1"
    arguments = classroom.parse([*settings.split(), "--sections", "resnet"])
    photo = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(photo, "JPEG")
    data = link_data(tmp_path / "data")
    with serving(tmp_path / "home", data) as server:
        outcome = asyncio.run(classroom.hold(server, 2, arguments, photo.getvalue()))
        pace = readers.parse(["--readers", "2", "--seconds", "4", "--think", "0.2"])
        seen = asyncio.run(readers.together(server.url, 2, pace))
    outcome.log((tmp_path / "home.log").read_text())
    assert outcome.faults == Counter()
    assert outcome.calm.lost + outcome.herd.lost == 0
    assert set(outcome.cpu_s) >= {"Read", "Architecture knob", "Feature maps layer", "Photo upload"}
    assert set(outcome.cpu_s) >= {"Train knob", "Start", "Stop", "Reload", "Runs"}
    assert len(outcome.calm.seconds) >= 3
    assert len(outcome.herd.seconds["Architecture knob"]) == 2
    assert len(seen.seconds["the view is opened"]) == 2
    assert set(seen.seconds) & {readers.LAYER, readers.CHANNEL, readers.EDIT}
    # The run is still going on; in so short a time a busy machine may not do a step of it.
    assert None not in outcome.steps_per_s
