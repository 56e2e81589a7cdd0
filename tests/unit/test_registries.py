"""A further optimizer, schedule or initialization is one entry of its list."""

from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, StepLR

from cnnlab.errors import ConfigError
from cnnlab.training import RunConfig, initialization, loop, optimizers, schedules, train
from cnnlab.training.events import Finished, Progress
from cnnlab.validated import choices
from tests.unit.probing import small_data

SHORT: dict[str, Any] = {
    "network": "lenet",
    "train_size": 64,
    "batch_size": 16,
    "epochs": 1,
    "device": "cpu",
    "precision": "float32",
}


def rmsprop(
    parameters: list[nn.Parameter], _config: RunConfig, fused: bool, **common: Any
) -> Optimizer:
    """There is no fused kernel for it."""
    del fused
    return torch.optim.RMSprop(parameters, **common)


def halves(optimizer: Optimizer, _steps: int) -> LRScheduler:
    return StepLR(optimizer, step_size=1, gamma=0.5)


def constant(weight: Tensor, _random: Generator) -> None:
    nn.init.constant_(weight, 0.01)


ENTRIES = [
    ("optimizer", optimizers.OPTIMIZERS, "rmsprop", rmsprop),
    ("schedule", schedules.SCHEDULES, "halves", halves),
    ("init", initialization.INITIALIZATIONS, "constant", constant),
]


@pytest.mark.parametrize(("field", "registry", "name", "entry"), ENTRIES)
def test_a_further_entry_is_a_choice_and_trains(
    monkeypatch: pytest.MonkeyPatch, field: str, registry: dict[str, Any], name: str, entry: object
) -> None:
    data = small_data()
    monkeypatch.setattr(loop, "resident", lambda _name, _device: data)
    with pytest.raises(ConfigError, match=rf"^{field}: '{name}' was given; input should be one of"):
        RunConfig(**SHORT, **{field: name})
    known = choices(RunConfig.model_fields[field])
    monkeypatch.setitem(registry, name, entry)
    assert choices(RunConfig.model_fields[field]) == (*known, name)
    config = RunConfig.from_json(RunConfig(**SHORT, **{field: name}).model_dump_json())
    changed, usual = (list(train(run)) for run in (config, RunConfig(**SHORT)))
    assert isinstance(changed[-1], Finished)
    points = [
        [(e.train_loss, e.lr) for e in run if isinstance(e, Progress)] for run in (changed, usual)
    ]
    assert points[0] != points[1]


def test_the_rate_of_a_schedule_is_that_of_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    data = small_data()
    monkeypatch.setattr(loop, "resident", lambda _name, _device: data)
    monkeypatch.setitem(schedules.SCHEDULES, "halves", halves)
    config = RunConfig(**SHORT, schedule="halves", lr=0.8)
    rates = [event.lr for event in train(config) if isinstance(event, Progress)]
    assert rates == pytest.approx([0.4, 0.2, 0.1, 0.05])


def test_choices_of_a_list_and_none_of_a_number() -> None:
    fields = RunConfig.model_fields
    assert choices(fields["evaluate"]) == ("spread", "end")
    assert choices(fields["lr"]) == ()
