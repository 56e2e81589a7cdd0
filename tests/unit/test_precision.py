"""How a run computes, that the choice stays, and how long the run is said to take."""

import dataclasses
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from cnnlab import catalog, devices
from cnnlab.training import RunConfig, precision, step_timing, train
from cnnlab.training.estimate import Estimate, estimate
from cnnlab.training.events import Started
from cnnlab.training.plan import Plan

CPU = torch.device("cpu")
CONFIG = RunConfig(network="lenet", train_size=64, batch_size=16, epochs=1, device="cpu")


class Tried:
    """Stands for the timed steps: each way takes `times_s`, in the order of `WAYS`.

    `busy`: every other time, something else slows the machine down.
    """

    def __init__(self, times_s: Sequence[float], busy: bool = False) -> None:
        slow = (5.0, 1.0) if busy else (1.0,)
        self.steps = {
            way: itertools.cycle([factor * time_s for factor in slow])
            for way, time_s in zip(WAYS, times_s, strict=True)
        }
        self.count = 0

    def __call__(self, _config, _device, dtype, layout, _interrupted):
        self.count += 1
        return SimpleNamespace(step_s=self.steps[dtype, layout].__next__)


LAST, FIRST = torch.channels_last, torch.contiguous_format
WAYS = [(dtype, layout) for dtype in (torch.float32, torch.bfloat16) for layout in (LAST, FIRST)]
# Twice as fast in bfloat16, channels last.
FASTER = (1.0, 1.2, 0.5, 0.6)


@pytest.fixture
def new_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A processor with bfloat16 on which nothing has been tried."""
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "data"))
    monkeypatch.setattr(precision, "_known", {})
    monkeypatch.setattr(devices, "has_bfloat16", lambda _device: True)
    return tmp_path / "data" / "speeds.json"


def tried(
    monkeypatch: pytest.MonkeyPatch, times_s: Sequence[float] = FASTER, busy: bool = False
) -> Tried:
    found = Tried(times_s, busy)
    monkeypatch.setattr(precision, "StepTimer", found)
    return found


@pytest.mark.usefixtures("new_machine")
@pytest.mark.parametrize(
    ("times_s", "chosen"),
    [
        (FASTER, "bfloat16, channels last"),
        ((1.0, 0.9, 0.8, 0.4), "bfloat16, channels first"),
        # Too little to be told from chance.
        ((1.0, 1.2, 0.95, 1.2), "float32, channels last"),
        ((1.0, 0.4, 0.9, 0.38), "float32, channels first"),
        ((1.0, 2.0, 3.0, 4.0), "float32, channels last"),
        # Channels first has to be faster by half.
        ((1.0, 0.7, 3.0, 4.0), "float32, channels last"),
    ],
)
def test_auto_takes_what_is_clearly_faster(
    monkeypatch: pytest.MonkeyPatch, times_s, chosen
) -> None:
    tried(monkeypatch, times_s)
    assert precision.choose(CONFIG, CPU).name == chosen


@pytest.mark.usefixtures("new_machine")
@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_a_format_that_is_asked_for_is_taken_in_its_faster_layout(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    trials = tried(monkeypatch, (1.0, 0.5, 2.0, 1.2))
    config = CONFIG.replace(precision=name)
    assert precision.choose(config, CPU).name == f"{name}, channels first"
    assert precision.gain(config, CPU) is None
    assert trials.count == 3


@pytest.mark.usefixtures("new_machine")
def test_a_busy_moment_does_not_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    tried(monkeypatch, busy=True)
    assert precision.gain(CONFIG, CPU) == 2


@pytest.mark.usefixtures("new_machine")
def test_without_the_hardware_only_float32_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = tried(monkeypatch)
    monkeypatch.setattr(devices, "has_bfloat16", lambda _device: False)
    assert precision.choose(CONFIG, CPU).precision == "float32"
    assert trials.count == 3


@pytest.mark.usefixtures("new_machine")
def test_a_network_that_learns_worse_in_bfloat16_keeps_to_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried(monkeypatch)
    spec = catalog.NETWORKS["lenet"]
    monkeypatch.setitem(catalog.NETWORKS, "lenet", dataclasses.replace(spec, bfloat16=False))
    assert precision.choose(CONFIG, CPU).precision == "float32"


@pytest.mark.usefixtures("new_machine")
@pytest.mark.parametrize(("has", "chosen"), [(True, "bfloat16"), (False, "float32")])
def test_on_a_gpu_nothing_is_timed(monkeypatch: pytest.MonkeyPatch, has, chosen) -> None:
    trials = tried(monkeypatch)
    monkeypatch.setattr(devices, "has_bfloat16", lambda _device: has)
    way = precision.choose(CONFIG, torch.device("cuda"))
    assert (way.precision, way.layout, trials.count) == (chosen, "channels last", 0)


def test_a_decision_stays_in_this_process_and_the_next(
    monkeypatch: pytest.MonkeyPatch, new_machine
) -> None:
    first = tried(monkeypatch)
    for _ in range(2):
        assert precision.choose(CONFIG, CPU).precision == "bfloat16"
    assert first.count == 6
    monkeypatch.setattr(precision, "_known", {})
    second = tried(monkeypatch, (1.0, 1.0, 2.0, 2.0))
    # Settings that leave the speed alone do not ask again; others do.
    other = CONFIG.replace(seed=5, lr=0.3, epochs=9)
    assert precision.choose(other, CPU).precision == "bfloat16"
    assert second.count == 0
    assert precision.choose(CONFIG.replace(batch_size=32), CPU).precision == "float32"
    assert second.count == 6
    assert len(json.loads(new_machine.read_text())) == 2


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", '{"a": "b"}', '{"a": null}', '{"a": {"b": "c"}}', '{"a": 2}']
)
def test_a_damaged_file_is_measured_anew(
    monkeypatch: pytest.MonkeyPatch, new_machine, content
) -> None:
    new_machine.parent.mkdir()
    new_machine.write_text(content)
    tried(monkeypatch)
    assert precision.choose(CONFIG, CPU).precision == "bfloat16"
    (kept,) = json.loads(new_machine.read_text()).values()
    assert list(kept.values()) == list(FASTER)


def test_a_file_without_one_of_the_ways_is_measured_anew(
    monkeypatch: pytest.MonkeyPatch, new_machine
) -> None:
    tried(monkeypatch)
    precision.choose(CONFIG, CPU)
    ((key, kept),) = json.loads(new_machine.read_text()).items()
    kept.popitem()
    new_machine.write_text(json.dumps({key: kept}))
    again = tried(monkeypatch)
    assert precision.choose(CONFIG, CPU).precision == "bfloat16"
    assert again.count == 6


def test_a_folder_that_cannot_be_written_costs_only_the_memory_of_it(
    monkeypatch: pytest.MonkeyPatch, new_machine
) -> None:
    new_machine.parent.write_text("in the way")
    trials = tried(monkeypatch)
    for _ in range(2):
        assert precision.choose(CONFIG, CPU).precision == "bfloat16"
    assert trials.count == 6


def test_only_the_newest_decisions_are_kept(monkeypatch: pytest.MonkeyPatch, new_machine) -> None:
    monkeypatch.setattr(precision, "REMEMBERED", 3)
    tried(monkeypatch)
    for batch_size in range(2, 10):
        precision.choose(CONFIG.replace(batch_size=batch_size), CPU)
    keys = json.loads(new_machine.read_text())
    assert [json.loads(key.split("; ")[1])["batch_size"] for key in keys] == [7, 8, 9]


@pytest.mark.usefixtures("new_machine")
def test_a_run_says_and_uses_what_was_chosen(monkeypatch: pytest.MonkeyPatch):
    tried(monkeypatch)
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


class Timed(step_timing.StepTimer):
    """A trial without a network."""

    def __init__(self) -> None:
        self._interrupted = lambda: False
        self._trainer = step_timing.Trainer(CONFIG, step_timing.made_up(CONFIG, CPU), torch.float32)


@pytest.mark.parametrize("batch_size", [2, 8, 9, 64, 100, 1024])
@pytest.mark.parametrize(("step_s", "image_s"), [(0.001, 1e-4), (0.05, 0.004), (0.3, 0.02)])
def test_long_batches_are_told_from_short_ones(
    monkeypatch: pytest.MonkeyPatch, batch_size, step_s, image_s
) -> None:
    """A step with a fixed part and a part for each picture is foreseen without doing it."""
    clock, longest = Clock(), 0.0
    monkeypatch.setattr(step_timing, "time", clock)

    def work(size: int) -> None:
        nonlocal longest
        longest = max(longest, step_s + image_s * size)
        clock.now_s += step_s + image_s * size

    found_s = Timed()._batch_s(work, batch_size)
    first_s = step_s + image_s * min(8, batch_size)
    if first_s > step_timing.LONG_S:
        # From one size alone the fixed part cannot be told from the rest.
        assert found_s == pytest.approx(first_s * batch_size / min(8, batch_size))
    else:
        assert found_s == pytest.approx(step_s + image_s * batch_size)
    assert longest <= max(first_s, step_timing.GROWTH * step_timing.LONG_S)


def test_a_trial_gives_way_at_once_and_leaves_random_numbers_alone() -> None:
    torch.manual_seed(7)
    state = torch.get_rng_state()
    steps = step_timing.StepTimer(CONFIG, CPU, torch.float32, interrupted=lambda: True)
    with pytest.raises(step_timing.Interrupted):
        steps.step_s()
    with pytest.raises(step_timing.Interrupted):
        estimate(CONFIG, lambda: True)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_an_estimate_of_a_real_network(batch_norm) -> None:
    config = CONFIG.replace(options={"batch_norm": batch_norm}, dataset="fashion_mnist")
    found = estimate(config)
    assert found.problem == ""
    assert found.step_s > 0
    assert found.test_image_s > 0
    assert found.precision == precision.choose(config, CPU).precision


def test_the_time_of_a_run_is_its_steps_and_its_tests() -> None:
    known = Estimate(precision="float32", step_s=0.5, test_image_s=0.001)
    config = RunConfig(network="lenet", dataset="shapes", train_size=640, batch_size=64, epochs=3)
    plan = Plan(train_images=640, test_images=2000, batch_size=64, epochs=3)
    assert known.run_s(config) == pytest.approx(30 * 0.5 + len(plan.evaluation_steps) * 2)
    assert known.run_s(config.replace(budget_s=4)) == 4
