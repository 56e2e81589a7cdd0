"""How a run computes: in which number format, and in which order numbers lie in memory."""

import contextlib
import json
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import torch

from cnnlab import allocator, catalog, devices
from cnnlab.atomic import replacing
from cnnlab.folders import cache_folder
from cnnlab.training.config import RunConfig
from cnnlab.training.step_timing import StepTimer

# A smaller gain could be chance, and single precision is what everybody compares with.
WORTH_IT = 1.1
# Long steps are foreseen from small batches, which flatter channels first.
CLEARLY = 1.5
REMEMBERED = 500
# The settings that decide how long a step takes.
DECISIVE = (
    *("network", "options", "dataset", "image_size", "augment", "batch_size"),
    *("optimizer", "device", "precision"),
)
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# Channels last suits most kernels; with few channels, batch normalization is slow in it.
LAYOUTS = {"channels last": torch.channels_last, "channels first": torch.contiguous_format}


class ComputeFormat(NamedTuple):
    """A number format and a layout, by their names. `name` is what files and pages call it."""

    precision: str
    layout: str = "channels last"

    @property
    def name(self) -> str:
        return f"{self.precision}, {self.layout}"

    @property
    def dtype(self) -> torch.dtype:
        return PRECISIONS[self.precision]

    @property
    def memory_format(self) -> torch.memory_format:
        return LAYOUTS[self.layout]


def choose(
    config: RunConfig, device: torch.device, interrupted: Callable[[], bool] = lambda: False
) -> ComputeFormat:
    """The format that the run asks for; for "auto", bfloat16 where this device gains by it.

    On a CPU a few timed steps decide, also on the layout. What was measured is kept, so that the
    run can be repeated.

    Raises: Interrupted as soon as `interrupted` says so.
    """
    precisions = allowed(config, device)
    if device.type == "cuda":
        return ComputeFormat(precisions[-1])
    times_s = measured(config, device, precisions, interrupted)
    best = [fastest(times_s, precision) for precision in precisions]
    if len(best) == 2 and times_s[best[0].name] / times_s[best[1].name] <= WORTH_IT:
        return best[0]
    return best[-1]


def allowed(config: RunConfig, device: torch.device) -> list[str]:
    """The number formats from which the run may take one."""
    if config.precision != "auto":
        return [config.precision]
    learns = catalog.network(config.network).bfloat16
    return list(PRECISIONS) if learns and devices.has_bfloat16(device) else ["float32"]


def fastest(times_s: Mapping[str, float], precision: str) -> ComputeFormat:
    """The layout in which a number format is fastest; channels last in case of doubt."""
    last, first = (ComputeFormat(precision, layout) for layout in LAYOUTS)
    return first if times_s[last.name] / times_s[first.name] > CLEARLY else last


def gain(
    config: RunConfig, device: torch.device, interrupted: Callable[[], bool] = lambda: False
) -> float | None:
    """Speed in bfloat16 by that in float32; None where they were not compared."""
    precisions = allowed(config, device)
    if device.type == "cuda" or len(precisions) < 2:
        return None
    times_s = measured(config, device, precisions, interrupted)
    float32_s, bfloat16_s = (times_s[fastest(times_s, name).name] for name in precisions)
    return float32_s / bfloat16_s


def measured(
    config: RunConfig,
    device: torch.device,
    precisions: list[str],
    interrupted: Callable[[], bool],
) -> Mapping[str, float]:
    """Seconds for a step on this machine, in every way that is allowed."""
    key = f"{machine()}; {same_speed(config)}"
    known = _read()
    ways = [ComputeFormat(precision, layout) for precision in precisions for layout in LAYOUTS]
    if key not in known or not {way.name for way in ways} <= set(known[key]):

        def step_s(way: ComputeFormat) -> float:
            # One at a time: a wide network with its gradients fills a gigabyte.
            return StepTimer(config, device, way.dtype, way.memory_format, interrupted).step_s()

        times_s = {way.name: step_s(way) for way in ways}
        # Once more for the best: something else may have used the machine for a moment.
        for precision in precisions:
            best = fastest(times_s, precision)
            times_s[best.name] = min(times_s[best.name], step_s(best))
        known[key] = times_s
        _write(known)
    return known[key]


def same_speed(config: RunConfig) -> str:
    """A text that is the same for runs whose steps take the same time."""
    return config.model_dump_json(include=set(DECISIVE))


def machine() -> str:
    """What else decides it: the computer, its library, the threads in use and the allocator."""
    threads = torch.get_num_threads()
    return f"{platform.node()}, torch {torch.__version__}, {threads} threads, {allocator.name()}"


def speeds() -> Path:
    """Where the measured times are kept between runs of the program."""
    return cache_folder() / "speeds.json"


# What this process has measured, for when the folder cannot be written.
_known: dict[str, dict[str, float]] = {}


def _read() -> dict[str, dict[str, float]]:
    kept: dict[str, dict[str, float]] = {}
    # A damaged file only costs the time to measure again.
    with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
        kept = {
            key: {name: float(value) for name, value in times_s.items()}
            for key, times_s in json.loads(speeds().read_text()).items()
        }
    return {key: value for key, value in _known.items() if key not in kept} | kept


def _write(known: dict[str, dict[str, float]]) -> None:
    newest = dict(list(known.items())[-REMEMBERED:])
    _known.clear()
    _known.update(newest)
    with contextlib.suppress(OSError):
        speeds().parent.mkdir(parents=True, exist_ok=True)
        with replacing(speeds()) as partial:
            partial.write_text(json.dumps(newest, indent=1))
