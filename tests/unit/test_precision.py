"""Which number format a run takes, that the choice stays, and how long a run is said to take."""

import dataclasses
import itertools
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from cnnlab import catalog, devices
from cnnlab.training import RunConfig, precision, train, trial
from cnnlab.training.estimate import Estimate, estimate
from cnnlab.training.events import Started
from cnnlab.training.plan import Plan

CPU = torch.device("cpu")
CONFIG = RunConfig(network="lenet", train_size=64, batch_size=16, epochs=1, device="cpu")


class Tried:
    """Stands for the timed steps: bfloat16 takes `share` of the time of float32.

    `busy`: every other time, something else slows the machine down.
    """

    def __init__(self, share: float, busy: bool = False) -> None:
        self.share = share
        self.busy = busy
        self.count = 0

    def __call__(self, _config, _device, dtype, _interrupted):
        self.count += 1
        return SimpleNamespace(step_s=self.times_s(dtype).__next__)

    def times_s(self, dtype):
        for slow in itertools.cycle((5.0, 1.0) if self.busy else (1.0,)):
            yield slow * (self.share if dtype == torch.bfloat16 else 1.0)


@pytest.fixture
def new_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A processor with bfloat16 on which nothing has been tried."""
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(precision, "_known", {})
    monkeypatch.setattr(devices, "has_bfloat16", lambda _device: True)
    return tmp_path / "data" / "bfloat16.json"


def tried(monkeypatch: pytest.MonkeyPatch, share: float, busy: bool = False) -> Tried:
    found = Tried(share, busy)
    monkeypatch.setattr(precision, "Trial", found)
    return found


@pytest.mark.usefixtures("new_machine")
@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_a_format_that_is_asked_for_is_taken_untried(monkeypatch, name):
    trials = tried(monkeypatch, 1.0)
    assert precision.choose(CONFIG.replace(precision=name), CPU) == getattr(torch, name)
    assert trials.count == 0


@pytest.mark.usefixtures("new_machine")
@pytest.mark.usefixtures("new_machine")
@pytest.mark.usefixtures("new_machine")
@pytest.mark.parametrize(
    ("share", "chosen"), [(0.5, torch.bfloat16), (0.95, torch.float32), (2.0, torch.float32)]
)
def test_auto_takes_what_is_clearly_faster(monkeypatch, share, chosen):
    tried(monkeypatch, share)
    assert precision.choose(CONFIG, CPU) == chosen


@pytest.mark.usefixtures("new_machine")
def test_a_busy_moment_does_not_decide(monkeypatch):
    tried(monkeypatch, 0.5, busy=True)
    assert precision.gain(CONFIG, CPU, lambda: False) == 2


def test_without_the_hardware_nothing_is_tried(monkeypatch):
    trials = tried(monkeypatch, 0.1)
    monkeypatch.setattr(devices, "has_bfloat16", lambda _device: False)
    assert precision.choose(CONFIG, CPU) == torch.float32
    assert trials.count == 0


def test_a_network_that_learns_worse_in_bfloat16_keeps_to_float32(monkeypatch):
    trials = tried(monkeypatch, 0.1)
    spec = catalog.NETWORKS["lenet"]
    monkeypatch.setitem(catalog.NETWORKS, "lenet", dataclasses.replace(spec, bfloat16=False))
    assert precision.choose(CONFIG, CPU) == torch.float32
    assert trials.count == 0


def test_a_decision_stays_in_this_process_and_the_next(monkeypatch, new_machine):
    first = tried(monkeypatch, 0.5)
    for _ in range(2):
        assert precision.choose(CONFIG, CPU) == torch.bfloat16
    assert first.count == 2
    monkeypatch.setattr(precision, "_known", {})
    second = tried(monkeypatch, 2.0)
    # Settings that leave the speed alone do not ask again; others do.
    assert precision.choose(CONFIG.replace(seed=5, lr=0.3, epochs=9), CPU) == torch.bfloat16
    assert second.count == 0
    assert precision.choose(CONFIG.replace(batch_size=32), CPU) == torch.float32
    assert second.count == 2
    assert len(json.loads(new_machine.read_text())) == 2


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": "b"}', '{"a": null}'])
def test_a_damaged_file_is_measured_anew(monkeypatch, new_machine, content):
    new_machine.parent.mkdir()
    new_machine.write_text(content)
    tried(monkeypatch, 0.5)
    assert precision.choose(CONFIG, CPU) == torch.bfloat16
    assert list(json.loads(new_machine.read_text()).values()) == [2.0]


def test_a_folder_that_cannot_be_written_costs_only_the_memory_of_it(monkeypatch, new_machine):
    new_machine.parent.write_text("in the way")
    trials = tried(monkeypatch, 0.5)
    for _ in range(2):
        assert precision.choose(CONFIG, CPU) == torch.bfloat16
    assert trials.count == 2


@pytest.mark.usefixtures("new_machine")
def test_only_the_newest_decisions_are_kept(monkeypatch, new_machine):
    monkeypatch.setattr(precision, "REMEMBERED", 3)
    tried(monkeypatch, 0.5)
    for batch_size in range(2, 10):
        precision.choose(CONFIG.replace(batch_size=batch_size), CPU)
    sizes = [
        json.loads(key.split("; ")[1])["batch_size"] for key in json.loads(new_machine.read_text())
    ]
    assert sizes == [7, 8, 9]


def test_a_run_says_and_uses_what_was_chosen(monkeypatch):
    tried(monkeypatch, 0.5)
    times = {"elapsed_s", "images_per_s", "eta_s"}

    def story(config):
        return [event.model_dump_json(exclude=times) for event in train(config)]

    auto = story(CONFIG)
    assert Started.model_validate_json(auto[0]).precision == "bfloat16"
    assert auto == story(CONFIG) == story(CONFIG.replace(precision="bfloat16"))
    assert auto[1:] != story(CONFIG.replace(precision="float32"))[1:]


class Clock:
    """Time that passes only by work."""

    now_s = 0.0

    def perf_counter(self) -> float:
        return self.now_s


class Timed(trial.Trial):
    """A trial without a network."""

    def __init__(self) -> None:
        self._interrupted = lambda: False
        self._trainer = trial.Trainer(CONFIG, trial.made_up(CONFIG, CPU), torch.float32)


@pytest.mark.parametrize("batch_size", [2, 8, 9, 64, 100, 1024])
@pytest.mark.parametrize(("step_s", "image_s"), [(0.001, 1e-4), (0.05, 0.004), (0.3, 0.02)])
def test_long_batches_are_told_from_short_ones(monkeypatch, batch_size, step_s, image_s):
    """A step with a fixed part and a part for each picture is foreseen without doing it."""
    clock, longest = Clock(), 0.0
    monkeypatch.setattr(trial, "time", clock)

    def work(size: int) -> None:
        nonlocal longest
        longest = max(longest, step_s + image_s * size)
        clock.now_s += step_s + image_s * size

    found_s = Timed()._batch_s(work, batch_size)
    first_s = step_s + image_s * min(8, batch_size)
    if first_s > trial.LONG_S:
        # From one size alone the fixed part cannot be told from the rest.
        assert found_s == pytest.approx(first_s * batch_size / min(8, batch_size))
    else:
        assert found_s == pytest.approx(step_s + image_s * batch_size)
    assert longest <= max(first_s, trial.GROWTH * trial.LONG_S)


def test_a_trial_gives_way_at_once_and_leaves_random_numbers_alone():
    torch.manual_seed(7)
    state = torch.get_rng_state()
    steps = trial.Trial(CONFIG, CPU, torch.float32, lambda: True)
    with pytest.raises(trial.Interrupted):
        steps.step_s()
    with pytest.raises(trial.Interrupted):
        estimate(CONFIG, lambda: True)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_an_estimate_of_a_real_network(batch_norm):
    config = CONFIG.replace(options={"batch_norm": batch_norm}, dataset="fashion_mnist")
    found = estimate(config)
    assert found.problem == ""
    assert found.step_s > 0
    assert found.test_image_s > 0
    assert found.precision == str(precision.choose(config, CPU)).removeprefix("torch.")


def test_the_time_of_a_run_is_its_steps_and_its_tests():
    known = Estimate(precision="float32", step_s=0.5, test_image_s=0.001)
    config = RunConfig(network="lenet", dataset="shapes", train_size=640, batch_size=64, epochs=3)
    plan = Plan(train_images=640, test_images=2000, batch_size=64, epochs=3)
    assert known.run_s(config) == pytest.approx(30 * 0.5 + len(plan.evaluation_steps) * 2)
    assert known.run_s(config.replace(budget_s=4)) == 4
