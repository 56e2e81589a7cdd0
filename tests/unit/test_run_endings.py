"""How a run ends: stopped, out of time, run away, out of memory, without room for its weights."""

import errno
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
import torch
from safetensors import SafetensorError
from torch.nn.functional import cross_entropy

from cnnlab.datasets import Dataset
from cnnlab.errors import ConfigError
from cnnlab.training import (
    RunConfig,
    checkpoint,
    evaluation,
    loop,
    plan,
    precision,
    run_state,
    train,
    trainer,
)
from cnnlab.training.events import Cancelled, Evaluation, Event, Failed, Finished, Started
from cnnlab.training.step_timing import Interrupted
from tests.unit.test_training_loop import CONFIG, evaluate_by_hand, plain_colours


@pytest.fixture(autouse=True)
def small_data(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Every data set is this one, which is there at once."""
    data = Dataset(*plain_colours(320, 1), *plain_colours(70, 2), tuple("abcdefghij"))
    monkeypatch.setattr(loop, "resident", lambda _name, _device: data)
    return data


def test_stop_keeps_what_was_learned(tmp_path: Path, small_data: Dataset) -> None:
    seen: list[Event] = []
    run = train(CONFIG, save_to=tmp_path / "w.safetensors", should_stop=lambda: len(seen) >= 5)
    seen.extend(run)
    last = seen[-1]
    assert isinstance(last, Cancelled)
    assert 0 < last.step < 12
    model, config = checkpoint.load(tmp_path / "w.safetensors")
    assert config == CONFIG
    assert math.isfinite(evaluate_by_hand(model, small_data)[0])


def test_a_stop_before_the_first_step_does_one_step() -> None:
    *_, last = train(CONFIG, should_stop=lambda: True)
    assert isinstance(last, Cancelled)
    assert (last.step, last.test_accuracy) == (1, None)


def test_a_budget_ends_early_with_an_evaluation() -> None:
    events = list(train(CONFIG.replace(budget_s=1e-6)))
    kinds = ["started", "progress", "evaluation", "predicted", "finished"]
    assert [e.type for e in events] == kinds
    evaluation, _, last = events[-3:]
    assert isinstance(evaluation, Evaluation)
    assert isinstance(last, Finished)
    assert last.step == evaluation.step == 1
    assert last.test_accuracy == evaluation.test_accuracy


class FakeClock:
    """Time that passes only where something is done: a step and a test batch take so long."""

    STEP_S, BATCH_S = 0.25, 0.5

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        for module in (loop, run_state, evaluation):
            monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: self.now_s))
        self._let_take(monkeypatch, "update", self.STEP_S)
        self._let_take(monkeypatch, "predict", self.BATCH_S)

    def _let_take(self, monkeypatch: pytest.MonkeyPatch, name: str, seconds: float) -> None:
        real = getattr(trainer.Trainer, name)

        def slow(*given: object) -> object:
            self.now_s += seconds
            return real(*given)

        monkeypatch.setattr(trainer.Trainer, name, slow)


@pytest.mark.parametrize("evaluate", ["spread", "end"])
@pytest.mark.parametrize("trial_s", [0.0, 2.0])
def test_a_budget_is_the_time_of_all_that_the_run_does(
    monkeypatch: pytest.MonkeyPatch, evaluate: str, trial_s: float
) -> None:
    """The trials of number formats before it and the look at the test set at its end too."""
    clock = FakeClock(monkeypatch)
    choose = precision.choose

    def slowly(*given: Any) -> Any:
        clock.now_s += trial_s
        return choose(*given)

    monkeypatch.setattr(precision, "choose", slowly)
    events = list(train(CONFIG.replace(budget_s=10, epochs=20, evaluate=evaluate)))
    last = events[-1]
    assert isinstance(last, Finished)
    # Nothing but the last step and a part of a test batch may be beyond it, or left of it.
    assert clock.now_s - 100 == pytest.approx(10, abs=FakeClock.STEP_S + FakeClock.BATCH_S)
    assert last.test_accuracy is not None
    assert [e.step for e in events if isinstance(e, Evaluation)][-1] == last.step
    # As many steps as the rest allows: it was not stopped too early either.
    tests = sum(isinstance(e, Evaluation) for e in events)
    done_s = trial_s + last.step * FakeClock.STEP_S + tests * 2 * FakeClock.BATCH_S
    assert 10 - done_s == pytest.approx(1, abs=FakeClock.STEP_S + FakeClock.BATCH_S)


def test_a_machine_that_is_too_slow_for_the_budget_learns_for_half_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    FakeClock(monkeypatch)
    monkeypatch.setattr(loop, "foreseen_s", lambda _trainer: 1000.0)
    *_, last = train(CONFIG.replace(budget_s=10, epochs=20))
    assert isinstance(last, Finished)
    assert last.step * FakeClock.STEP_S == pytest.approx(5, abs=FakeClock.STEP_S)
    assert last.test_accuracy is not None


def test_trials_of_number_formats_take_a_fifth_of_a_budget_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = FakeClock(monkeypatch)

    def slow(_config: object, _device: object, interrupted: Callable[[], bool]) -> NoReturn:
        while not interrupted():
            clock.now_s += 0.1
        raise Interrupted

    monkeypatch.setattr(precision, "choose", slow)
    started, *_, last = train(CONFIG.replace(budget_s=10, epochs=20))
    assert isinstance(started, Started)
    assert started.precision == "float32"
    assert isinstance(last, Finished)
    assert last.step * FakeClock.STEP_S == pytest.approx(10 - 2 - 1, abs=2)


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_loss_that_runs_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    monkeypatch.setattr(trainer, "cross_entropy", lambda x, y: cross_entropy(x, y) * float(value))
    events = list(train(CONFIG, save_to=tmp_path / "w.safetensors"))
    assert [e.type for e in events] == ["started", "failed"]
    last = events[-1]
    assert isinstance(last, Failed)
    assert f"The loss became {value} at step 1" in last.message
    assert "Lower the learning rate (it was 0.02)" in last.message
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_runs_away_between_two_reports_ends_the_run_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan, "REPORTS", 1)
    monkeypatch.setattr(plan, "CHECK_EVERY", 2)
    losses = itertools.count()

    def runs_away(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(x, y) * (math.nan if next(losses) >= 4 else 1)

    monkeypatch.setattr(trainer, "cross_entropy", runs_away)
    events = list(train(CONFIG.replace(evaluate="end")))
    assert [e.type for e in events] == ["started", "progress", "failed"]
    last = events[-1]
    assert isinstance(last, Failed)
    assert "The loss became nan at step 6" in last.message


def test_too_large_a_learning_rate_really_runs_away() -> None:
    config = RunConfig(
        network="vgg", train_size=96, batch_size=16, epochs=3, optimizer="sgd", lr=10, device="cpu"
    )
    last = list(train(config))[-1]
    assert isinstance(last, Failed)
    assert last.step > 1
    assert "Lower the learning rate (it was 10)" in last.message


def fail_with(error: Exception) -> Callable[..., NoReturn]:
    def fail(*_args: object) -> NoReturn:
        raise error

    return fail


def full_cpu() -> RuntimeError:
    """PyTorch's own complaint about memory that nobody has."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)
    return caught.value


@pytest.mark.parametrize("make", [torch.OutOfMemoryError, MemoryError, full_cpu])
@pytest.mark.parametrize("where", ["update", "predict", "__init__"])
def test_out_of_memory_says_what_to_change(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Exception], where: str
) -> None:
    monkeypatch.setattr(trainer.Trainer, where, fail_with(make()))
    last = list(train(CONFIG))[-1]
    assert isinstance(last, Failed)
    assert "ran out of memory. Use a smaller batch" in last.message
    assert "16 pictures of 32×32" in last.message


def test_other_errors_are_not_taken_for_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer.Trainer, "update", fail_with(RuntimeError("shapes do not match")))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        list(train(CONFIG))


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"no device 'cuda:99' on this machine; it has .*cpu"):
        next(train(CONFIG.replace(device="cuda:99")))


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), SafetensorError("No space left on device")],
)
def test_a_full_disk_costs_the_weights_not_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception
) -> None:
    def half(_tensors: object, path: Path, metadata: object) -> NoReturn:  # noqa: ARG001
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(checkpoint, "save_file", half)
    last = list(train(CONFIG, save_to=tmp_path / "w.safetensors"))[-1]
    assert isinstance(last, Finished)
    assert last.weights is None
    assert last.note == "The weights could not be saved: No space left on device."
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_costs_the_weights_not_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    last = list(train(CONFIG, save_to=tmp_path / "file" / "w.safetensors"))[-1]
    assert isinstance(last, Finished)
    assert last.note is not None
    assert last.note.startswith("The weights could not be saved: ")


@pytest.mark.parametrize(("budget_s", "left_s"), [(None, 1190.0), (100.0, 90.0), (5000.0, 1190.0)])
def test_against_the_clock_no_more_is_left_than_it_leaves(
    budget_s: float | None, left_s: float
) -> None:
    state = run_state.RunState(
        CONFIG.replace(budget_s=budget_s), plan.Plan(320, 70, 32, 12), torch.device("cpu")
    )
    # Of 120 steps, one in ten seconds.
    state.step = 1
    state._start_s -= 10
    state._begun_s -= 10
    assert state.eta_s == pytest.approx(left_s, abs=0.5)
    # The look at the test set at the end is part of the budget.
    state._evaluations_s.append(3.0)
    if budget_s == 100:
        assert state.eta_s == pytest.approx(90, abs=0.5)
        assert state.left_s == pytest.approx(87, abs=0.5)
