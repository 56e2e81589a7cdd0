"""Choice of a run's number format and memory layout, by what is fastest here."""

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch

from cnnlab import allocator, catalog, devices, gpus
from cnnlab.errors import ConfigError
from cnnlab.training import timing_cache
from cnnlab.training.compute_format import PRECISIONS, ComputeFormat, layouts
from cnnlab.training.config import RunConfig
from cnnlab.training.step_timing import StepTimer
from cnnlab.training.timing_cache import StepTimes

# A smaller gain could be chance, and single precision is what everybody compares with.
WORTH_IT = 1.1
# Long steps are foreseen from small batches, which flatter channels first.
CLEARLY = 1.5
# The settings that decide how long a step takes.
DECISIVE = (
    *("network", "options", "dataset", "image_size", "augment", "batch_size"),
    *("optimizer", "device", "precision"),
)


def choose(
    config: RunConfig,
    device: torch.device,
    interrupted: Callable[[], bool] = lambda: False,
    retake: bool = False,
) -> ComputeFormat:
    """The format that the run asks for; for "auto", bfloat16 where this device gains by it.

    A few timed steps decide, on a CPU also on the layout. What was measured is kept, so that the
    run can be repeated. What was measured beside other work holds for ten minutes, and `retake`
    measures it again at once.

    Raises: Interrupted as soon as `interrupted` says so; ConfigError for a format that the device
    does not compute in.
    """
    ways = candidates(config, device)
    if len(ways) == 1:
        return ways[0]
    times_s = measured(config, device, interrupted, retake).seconds
    best = [fastest(ways, times_s, precision) for precision in allowed(config, device)]
    if len(best) == 2 and times_s[best[0].name] / times_s[best[1].name] <= WORTH_IT:
        return best[0]
    return best[-1]


def allowed(config: RunConfig, device: torch.device) -> list[str]:
    """The number formats from which the run may take one."""
    if device.type == "mps" and config.precision not in ("auto", "float32"):
        raise ConfigError(
            f"precision: {config.precision!r} was given, and Apple's GPU computes in float32 here. "
            'Choose "float32" or "auto", or the CPU as the device.'
        )
    if config.precision != "auto":
        return [config.precision]
    learns = catalog.network(config.network).bfloat16
    return list(PRECISIONS) if learns and devices.has_bfloat16(device) else ["float32"]


def candidates(config: RunConfig, device: torch.device) -> list[ComputeFormat]:
    """The formats among which time decides."""
    return [
        ComputeFormat(precision, layout)
        for precision in allowed(config, device)
        for layout in layouts(device)
    ]


def fastest(
    ways: Sequence[ComputeFormat], times_s: Mapping[str, float], precision: str
) -> ComputeFormat:
    """The layout in which a number format is fastest; the device's first in case of doubt."""
    usual, *others = [way for way in ways if way.precision == precision]
    clearly = [way for way in others if times_s[usual.name] / times_s[way.name] > CLEARLY]
    return clearly[0] if clearly else usual


def gain(config: RunConfig, device: torch.device) -> float | None:
    """Speed in bfloat16 by that in float32; None where they were not compared."""
    ways, precisions = candidates(config, device), allowed(config, device)
    if len(precisions) < 2:
        return None
    times_s = measured(config, device).seconds
    float32_s, bfloat16_s = (times_s[fastest(ways, times_s, name).name] for name in precisions)
    return float32_s / bfloat16_s


def measured(
    config: RunConfig,
    device: torch.device,
    interrupted: Callable[[], bool] = lambda: False,
    retake: bool = False,
) -> StepTimes:
    """Seconds for a step on this machine in every format that may be taken; see `choose`."""
    key = f"{machine(device)}; {same_speed(config)}"
    known = timing_cache.read().get(key)
    complete = known and {way.name for way in candidates(config, device)} <= set(known.seconds)
    if known and complete and not (known.is_due or (retake and known.busy)):
        return known
    return timing_cache.keep(key, timed(config, device, interrupted))


class Timed(NamedTuple):
    """Seconds for a step, and whether other work slowed it down."""

    seconds: float
    busy: bool


def timed(config: RunConfig, device: torch.device, interrupted: Callable[[], bool]) -> StepTimes:
    """The same, measured now."""

    def step(way: ComputeFormat) -> Timed:
        # One at a time: a wide network with its gradients fills a gigabyte.
        timer = StepTimer(config, device, way.dtype, way.memory_format, interrupted)
        return Timed(timer.step_s(), timer.busy)

    ways = candidates(config, device)
    found = {way.name: step(way) for way in ways}
    # Once more for the best: something else may have used the machine for a moment.
    for precision in allowed(config, device):
        times_s = {name: one.seconds for name, one in found.items()}
        best = fastest(ways, times_s, precision)
        found[best.name] = min(found[best.name], step(best))
    return StepTimes(
        seconds={name: one.seconds for name, one in found.items()},
        busy=any(one.busy for one in found.values()),
        taken_s=time.time(),
    )


def same_speed(config: RunConfig) -> str:
    """A text that is the same for runs whose steps take the same time."""
    return config.model_dump_json(include=set(DECISIVE))


def machine(device: torch.device) -> str:
    """What else decides it: the computer, its library, the threads in use and the allocator."""
    threads = torch.get_num_threads()
    parts = [platform.node(), f"torch {torch.__version__}", f"{threads} threads", allocator.name()]
    return ", ".join([*parts, *(gpu.title for gpu in gpus.tried() if gpu.name == str(device))])
