"""A restarted run looks like one run; and Ray stays out of the way of those who have none."""

import sys
from pathlib import Path

import pytest

from cnnlab.errors import ConfigError
from cnnlab.jobs import choose
from cnnlab.jobs.limits import Settings
from cnnlab.jobs.ray.engine import delivered
from cnnlab.jobs.ray.restarts import RestartedCurve
from cnnlab.jobs.ray.task import batches
from cnnlab.training import RunConfig, train
from cnnlab.training.events import Event, Failed, Finished, Progress, Started
from tests.present import present

CONFIG = RunConfig(network="lenet", train_size=128, batch_size=32, epochs=2)


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return list(train(CONFIG))


def test_what_was_shown_is_not_shown_again_and_time_goes_on(events: list[Event]) -> None:
    now_s = 0.0
    curve = RestartedCurve(clock=lambda: now_s)
    first = [event for event in map(curve.add, events[:4]) if event is not None]
    assert [event.type for event in first] == [event.type for event in events[:4]]
    assert curve.note() is None
    curve.restarts, now_s = 1, 100.0
    second = [event for event in map(curve.add, events) if event is not None]
    assert [event.type for event in [*first, *second]] == [event.type for event in events]
    rest = [event for event in second if not isinstance(event, Started | Failed)]
    wanted = [event for event in events[4:] if not isinstance(event, Started | Failed)]
    assert len(rest) == len(second)
    assert [event.step for event in rest] == [event.step for event in wanted]
    assert rest[0].elapsed_s == 100 + wanted[0].elapsed_s
    assert "started again once" in present(curve.note())


def test_a_run_that_fails_before_its_first_step_says_so() -> None:
    failed = Failed(message="no")
    assert RestartedCurve().add(failed) == failed


def test_batches_hold_every_event_and_the_weights_at_the_end(
    events: list[Event], tmp_path: Path
) -> None:
    sent = list(batches(CONFIG.model_dump_json(), tmp_path / "w.safetensors", lambda: False))
    assert sum(len(lines) for lines, _ in sent) == len(events)
    assert [content for _, content in sent[:-1]] == [None] * (len(sent) - 1)
    assert sent[-1][1] == (tmp_path / "w.safetensors").read_bytes()
    kinds = [Progress if '"progress"' in line else object for lines, _ in sent for line in lines]
    assert kinds.count(Progress) == sum(isinstance(event, Progress) for event in events)


def test_weights_arrive_whole_or_with_a_reason(events: list[Event], tmp_path: Path) -> None:
    ending = events[-1]
    assert isinstance(ending, Finished)
    there = delivered(ending, b"abc", tmp_path / "new" / "w.safetensors", None)
    assert Path(present(there.weights)).read_bytes() == b"abc"
    (tmp_path / "file").write_bytes(b"")
    refused = delivered(ending, b"abc", tmp_path / "file" / "w.safetensors", "Before.")
    assert refused.weights is None
    assert present(refused.note).startswith("Before. The weights could not be saved: ")


def test_without_ray_the_operator_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install -r requirements-cluster\.txt"):
        choose.engine(Settings(engine="ray"))
