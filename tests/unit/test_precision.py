"""Which number format and layout a run computes in, and that the choice stays."""

import dataclasses
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from cnnlab import allocator, catalog, devices, gpus
from cnnlab.errors import ConfigError
from cnnlab.gpus import Gpu
from cnnlab.training import RunConfig, precision, timing_cache, train
from cnnlab.training.events import Started

CPU = torch.device("cpu")
CONFIG = RunConfig(network="lenet", train_size=64, batch_size=16, epochs=1, device="cpu")


class Tried:
    """Stands for the timed steps: each way takes `times_s`, in the order of `WAYS`.

    `busy`: every other time, something else slows the machine down.
    """

    def __init__(self, times_s: Sequence[float], busy: bool = False) -> None:
        self.busy = False
        slow = (5.0, 1.0) if busy else (1.0,)
        self.steps = {
            way: itertools.cycle([factor * time_s for factor in slow])
            for way, time_s in zip(WAYS, times_s, strict=True)
        }
        self.count = 0

    def __call__(
        self,
        _config: RunConfig,
        _device: torch.device,
        dtype: torch.dtype,
        layout: torch.memory_format,
        _interrupted: object,
    ) -> SimpleNamespace:
        self.count += 1
        return SimpleNamespace(step_s=self.steps[dtype, layout].__next__, busy=self.busy)


LAST, FIRST = torch.channels_last, torch.contiguous_format
WAYS = [(dtype, layout) for dtype in (torch.float32, torch.bfloat16) for layout in (LAST, FIRST)]
# Twice as fast in bfloat16, channels last.
FASTER = (1.0, 1.2, 0.5, 0.6)


@pytest.fixture
def new_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A processor with bfloat16 on which nothing has been tried."""
    monkeypatch.setenv("CNNLAB_CACHE", str(tmp_path / "data"))
    monkeypatch.setattr(timing_cache, "_known", {})
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
    monkeypatch: pytest.MonkeyPatch, times_s: tuple[float, ...], chosen: str
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
@pytest.mark.parametrize(
    ("times_s", "chosen"),
    [((1.0, 0.5), "bfloat16"), ((1.0, 1.2), "float32"), ((1.0, 0.95), "float32")],
)
def test_on_a_gpu_both_formats_are_timed_with_channels_last(
    monkeypatch: pytest.MonkeyPatch, times_s: tuple[float, ...], chosen: str
) -> None:
    """Launches bound small networks there, and the casts of bfloat16 are launches, too."""
    float32_s, bfloat16_s = times_s
    # A layout that is tried nevertheless would win.
    trials = tried(monkeypatch, (float32_s, 0.01, bfloat16_s, 0.01))
    way = precision.choose(CONFIG, torch.device("cuda:0"))
    assert (way.precision, way.layout, trials.count) == (chosen, "channels last", 4)
    assert precision.gain(CONFIG, torch.device("cuda:0")) == pytest.approx(float32_s / bfloat16_s)


@pytest.mark.usefixtures("new_machine")
@pytest.mark.parametrize("asked", ["auto", "float32"])
def test_where_there_is_one_way_nothing_is_timed(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    trials = tried(monkeypatch)
    monkeypatch.setattr(devices, "has_bfloat16", lambda _device: False)
    config = CONFIG.replace(precision=asked)
    assert precision.choose(config, torch.device("cuda:0")).name == "float32, channels last"
    assert precision.choose(config, torch.device("mps")).name == "float32, channels first"
    assert trials.count == 0


def test_bfloat16_on_apples_gpu_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match=r"'bfloat16' was given.*Choose \"float32\" or \"auto\""):
        precision.choose(CONFIG.replace(precision="bfloat16"), torch.device("mps"))


@pytest.mark.usefixtures("new_machine")
def test_each_gpu_has_times_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for title, times_s in (("T4", (1.0, 1.0, 2.0, 2.0)), ("H100", FASTER)):
        monkeypatch.setattr(gpus, "tried", lambda title=title: (Gpu(name="cuda:0", title=title),))
        tried(monkeypatch, times_s)
        chosen = precision.choose(CONFIG, torch.device("cuda:0")).precision
        assert chosen == ("float32" if title == "T4" else "bfloat16")


@pytest.mark.usefixtures("new_machine")
def test_the_allocator_has_times_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker keeps its memory, a terminal does not; their steps differ by up to a third."""
    for name, times_s in (("memory given back", FASTER), ("memory kept", (1.0, 1.0, 2.0, 2.0))):
        monkeypatch.setattr(allocator, "name", lambda name=name: name)
        tried(monkeypatch, times_s)
        chosen = precision.choose(CONFIG, CPU).precision
        assert chosen == ("bfloat16" if times_s is FASTER else "float32")


@pytest.mark.usefixtures("new_machine")
def test_times_taken_beside_other_work_are_taken_again_by_an_estimate_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beside = tried(monkeypatch, (1.0, 1.0, 2.0, 2.0))
    beside.busy = True
    assert precision.choose(CONFIG, CPU, retake=True).precision == "float32"
    free = tried(monkeypatch)
    # A run is repeated as it was.
    assert precision.choose(CONFIG, CPU).precision == "float32"
    assert free.count == 0
    assert precision.choose(CONFIG, CPU, retake=True).precision == "bfloat16"
    assert precision.choose(CONFIG, CPU).precision == "bfloat16"
    later = tried(monkeypatch, (1.0, 1.0, 2.0, 2.0))
    assert precision.choose(CONFIG, CPU, retake=True).precision == "bfloat16"
    assert later.count == 0


@pytest.mark.usefixtures("new_machine")
def test_a_speed_measured_beside_other_work_does_not_decide_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where no page asks for an estimate, as in a terminal."""
    now_s = 1e9
    clock = SimpleNamespace(time=lambda: now_s)
    monkeypatch.setattr(precision, "time", clock)
    monkeypatch.setattr(timing_cache, "time", clock)
    tried(monkeypatch, (1.0, 1.0, 2.0, 2.0)).busy = True
    assert precision.choose(CONFIG, CPU).precision == "float32"
    free = tried(monkeypatch)
    now_s += timing_cache.BUSY_HOLD_S / 2
    assert precision.choose(CONFIG, CPU).precision == "float32"
    assert free.count == 0
    now_s += timing_cache.BUSY_HOLD_S
    assert precision.choose(CONFIG, CPU).precision == "bfloat16"
    now_s += 100 * timing_cache.BUSY_HOLD_S
    before = free.count
    assert precision.choose(CONFIG, CPU).precision == "bfloat16"
    assert free.count == before


def test_a_decision_stays_in_this_process_and_the_next(
    monkeypatch: pytest.MonkeyPatch, new_machine: Path
) -> None:
    first = tried(monkeypatch)
    for _ in range(2):
        assert precision.choose(CONFIG, CPU).precision == "bfloat16"
    assert first.count == 6
    monkeypatch.setattr(timing_cache, "_known", {})
    second = tried(monkeypatch, (1.0, 1.0, 2.0, 2.0))
    # Settings that leave the speed alone do not ask again; others do.
    other = CONFIG.replace(seed=5, lr=0.3, epochs=9)
    assert precision.choose(other, CPU).precision == "bfloat16"
    assert second.count == 0
    assert precision.choose(CONFIG.replace(batch_size=32), CPU).precision == "float32"
    assert second.count == 6
    assert len(json.loads(new_machine.read_text())) == 2


def test_a_file_without_one_of_the_ways_is_measured_anew(
    monkeypatch: pytest.MonkeyPatch, new_machine: Path
) -> None:
    tried(monkeypatch)
    precision.choose(CONFIG, CPU)
    ((key, kept),) = json.loads(new_machine.read_text()).items()
    kept["seconds"].popitem()
    new_machine.write_text(json.dumps({key: kept}))
    again = tried(monkeypatch)
    assert precision.choose(CONFIG, CPU).precision == "bfloat16"
    assert again.count == 6


@pytest.mark.usefixtures("new_machine")
def test_a_run_says_and_uses_what_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    tried(monkeypatch)
    times = {"elapsed_s", "images_per_s", "eta_s"}

    def curve(config: RunConfig) -> list[str]:
        return [event.model_dump_json(exclude=times) for event in train(config)]

    auto = curve(CONFIG)
    started = Started.model_validate_json(auto[0])
    assert (started.precision, started.layout) == ("bfloat16", "channels last")
    assert auto == curve(CONFIG) == curve(CONFIG.replace(precision="bfloat16"))
    assert auto[1:] != curve(CONFIG.replace(precision="float32"))[1:]
