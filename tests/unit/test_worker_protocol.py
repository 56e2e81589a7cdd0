"""What the worker makes of its commands, and what it lets out, without a process."""

import io
import json
import math
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from cnnlab import allocator
from cnnlab.errors import DatasetError
from cnnlab.jobs.local import priority, worker
from cnnlab.jobs.local.process import _cause
from cnnlab.training import step_timing
from cnnlab.training.events import Cancelled, Event, Failed, Finished, Progress, from_json
from tests.conftest import ROOT
from tests.messages import next_message

COMMAND: dict[str, Any] = {"run": "r", "config": {"network": "lenet"}, "weights": "w"}


def ending(monkeypatch: pytest.MonkeyPatch, error: Exception) -> tuple[list[Event], bool]:
    """What a run that breaks off reports, and whether the process can go on."""

    def train(*_arguments: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(worker, "train", train)
    found: list[Event] = []
    try:
        for event in worker.events(COMMAND, set()):
            found.append(event)
    except worker.Unusable:
        return found, False
    return found, True


def test_our_own_errors_are_passed_on_and_the_process_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = DatasetError("It is not there. Fetch it.")
    assert ending(monkeypatch, error) == ([Failed(message=str(error))], True)


def test_other_errors_become_a_sentence_and_end_the_process(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ((failed,), usable) = ending(monkeypatch, KeyError("secret"))
    assert isinstance(failed, Failed)
    assert "KeyError" in failed.message
    assert "secret" not in failed.message
    assert not usable
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried",
        "CUDA error: out of memory",
    ],
)
def test_full_memory_is_recognized(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    ((failed,), _usable) = ending(monkeypatch, RuntimeError(text))
    assert isinstance(failed, Failed)
    assert "ran out of memory" in failed.message
    assert "smaller batch" in failed.message


def test_a_bad_configuration_is_a_sentence() -> None:
    command = COMMAND | {"config": {"network": "lenet", "epochs": -1}}
    (failed,) = worker.events(command, set())
    assert isinstance(failed, Failed)
    assert "epochs: -1 was given" in failed.message


def test_a_run_cancelled_before_it_begins_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "train", None)
    assert list(worker.events(COMMAND, {"r"})) == [Cancelled(step=0, epoch=0, elapsed_s=0)]


class Outlet(io.StringIO):
    """Counts how often something was flushed."""

    flushes = 0

    def flush(self) -> None:
        self.flushes += 1


def point(step: int, train_loss: float = 1.0) -> Progress:
    return Progress(
        step=step,
        epoch=0.5,
        elapsed_s=1,
        train_loss=train_loss,
        train_accuracy=0.5,
        lr=0.1,
        images_per_s=10,
        eta_s=1,
    )


def test_points_leave_in_batches_first_and_last_at_once() -> None:
    out = Outlet()
    reports = worker.Reports(out)
    reports.send("r", point(1))
    assert out.flushes == 1
    for step in range(2, 1001):
        reports.send("r", point(step))
    assert out.flushes < 50
    last = Finished(step=1000, epoch=1, elapsed_s=1)
    reports.send("r", last)
    events = [from_json(json.dumps(json.loads(x)["event"])) for x in out.getvalue().splitlines()]
    assert events == [*map(point, range(1, 1001)), last]


@pytest.mark.parametrize("loss", [math.nan, math.inf, 0.1 + 0.2])
def test_every_loss_survives_the_journey(loss: float) -> None:
    back = from_json(point(1, loss).model_dump_json())
    assert isinstance(back, Progress)
    assert back.train_loss == pytest.approx(loss, rel=0, nan_ok=True)


def test_nothing_but_messages_reaches_the_protocol() -> None:
    """Prints from Python, from C and from a child land on standard error."""
    program = (
        "import os, subprocess\n"
        "from cnnlab.jobs.local import worker\n"
        "reports = worker.Reports(worker.protocol_out())\n"
        "print('from Python', flush=True)\n"
        "os.write(1, b'from C\\n')\n"
        "subprocess.run(['echo', 'from a child'])\n"
        "reports.ready()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"ready": True}]
    assert {"from Python", "from C", "from a child"} <= set(done.stderr.splitlines())


WARM_AT_ONCE = """
import torch
from cnnlab.jobs.local import priority, worker
worker.resident = lambda *_: None
worker.estimate = lambda *_: torch.rand(900, 900) @ torch.rand(900, 900)
torch.set_num_threads, several = lambda _: None, torch.set_num_threads
several(2)
worker.main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process")
def test_a_worker_and_all_its_threads_let_the_pages_go_first() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WARM_AT_ONCE],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert next_message(process.stdout) == {"ready": True}
        tasks = Path(f"/proc/{process.pid}/task").iterdir()
        # After the name in parentheses, the priority's steps are the 17th field.
        nice = [int((task / "stat").read_text().rpartition(")")[2].split()[16]) for task in tasks]
        process.communicate()
    assert len(nice) >= 3  # the run's, OpenMP's second, and the reader of commands
    assert set(nice) == {min(19, os.nice(0) + priority.STEPS_BACK)}


@pytest.mark.parametrize(
    ("code", "words"), [(-9, "memory"), (-11, "not its own"), (-1, "SIGHUP"), (3, "code 3")]
)
def test_every_death_has_a_reason_in_words(code: int, words: str) -> None:
    assert words in " ".join(_cause(code))


def lines_of(*commands: dict[str, Any]) -> worker.Commands:
    """A worker's commands, as they wait after its warm-up."""
    found = worker.Commands.__new__(worker.Commands)
    found.waiting = queue.Queue()
    found.cancelled = set()
    for command in commands:
        found.waiting.put(command)
    return found


QUESTION: dict[str, Any] = {"estimate": "key", "config": {"network": "lenet", "batch_size": 8}}


def test_a_question_is_answered_with_the_speed() -> None:
    found = worker.estimated(QUESTION, lines_of())
    assert found is not None
    assert found.step_s > 0
    out = Outlet()
    worker.Reports(out).answer("key", found)
    message = json.loads(out.getvalue())
    assert message == {"estimate": "key", "answer": json.loads(found.model_dump_json())}


def test_a_question_gives_way_to_a_run_but_not_to_other_questions() -> None:
    assert worker.estimated(QUESTION, lines_of(QUESTION, COMMAND)) is None
    assert worker.estimated(QUESTION, lines_of(QUESTION, QUESTION)) is not None


def test_what_would_fail_is_said_in_the_answer() -> None:
    command = QUESTION | {"config": {"network": "lenet", "device": "cuda:99"}}
    found = worker.estimated(command, lines_of())
    assert found is not None
    assert "no device 'cuda:99'" in found.problem


def test_an_estimate_has_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "ESTIMATE_S", 0.0)
    found = worker.estimated(QUESTION, lines_of())
    assert found is not None
    assert "was not measured" in found.problem
    # A run comes first, and is no reason to say so.
    assert worker.estimated(QUESTION, lines_of(COMMAND)) is None


def test_nothing_is_built_for_an_estimate_that_a_run_overtakes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(step_timing, "Trainer", None)
    assert worker.estimated(QUESTION, lines_of(COMMAND)) is None


def test_signs_of_life_and_events_do_not_mix() -> None:
    out = io.StringIO()
    reports = worker.Reports(out)
    threads = [threading.Thread(target=reports.keep_saying_so, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for step in range(1, 500):
        reports.answer(str(step), None)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert lines.count({"alive": True}) >= 2
    assert [line["estimate"] for line in lines if "estimate" in line] == [*map(str, range(1, 500))]


def test_memory_goes_back_to_the_system_after_every_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    monkeypatch.setattr(allocator, "give_back", lambda: done.append("given back"))

    def events(command: dict[str, Any], _commands: worker.Commands) -> list[Event]:
        done.append("trained")
        return [Failed(message=command["run"])]

    def estimated(_command: dict[str, Any], _commands: worker.Commands) -> None:
        done.append("estimated")

    monkeypatch.setattr(worker, "events", events)
    monkeypatch.setattr(worker, "estimated", estimated)
    commands = lines_of(COMMAND, QUESTION, COMMAND)
    assert worker.work(commands, worker.Reports(Outlet()), idle_s=0.01) == 0
    expected = (["trained", "estimated", "trained"], ["given back"] * 3)
    assert (done[::2], done[1::2]) == expected
