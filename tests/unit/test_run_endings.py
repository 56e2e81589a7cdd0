"""How a run ends: stopped, out of time, run away, out of memory, without room for its weights."""

import errno
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from safetensors import SafetensorError
from torch.nn.functional import cross_entropy

from cnnlab.datasets import Dataset
from cnnlab.errors import ConfigError
from cnnlab.training import RunConfig, checkpoint, loop, plan, run_state, train, trainer
from cnnlab.training.events import Cancelled, Evaluation, Event, Failed, Finished
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
    assert state.eta_s == pytest.approx(left_s, abs=0.5)
    # Whoever is stopped by the clock is tested once more.
    state._evaluations_s.append(3.0)
    if budget_s == 100:
        assert state.eta_s == pytest.approx(93, abs=0.5)
