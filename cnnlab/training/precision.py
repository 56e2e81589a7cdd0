"""The number format of a run: bfloat16 where it is faster and the network learns as well."""

import contextlib
import json
import platform
from collections.abc import Callable
from pathlib import Path

import torch

from cnnlab import catalog, devices
from cnnlab.datasets.atomic import replacing
from cnnlab.datasets.folder import data_folder
from cnnlab.training.config import RunConfig
from cnnlab.training.trial import Trial

# A smaller gain could be chance, and single precision is what everybody compares with.
WORTH_IT = 1.1
REMEMBERED = 500
ROUNDS = 2
# The settings that decide how long a step takes.
DECISIVE = (
    *("network", "options", "dataset", "image_size", "augment", "batch_size"),
    *("optimizer", "device", "precision"),
)


def choose(
    config: RunConfig, device: torch.device, interrupted: Callable[[], bool] = lambda: False
) -> torch.dtype:
    """The format that the run asks for; for "auto", bfloat16 where this device gains by it.

    On a CPU a few timed steps decide. The decision is kept, so that the run can be repeated.

    Raises: Interrupted as soon as `interrupted` says so.
    """
    if config.precision == "float32":
        return torch.float32
    if config.precision == "bfloat16":
        return torch.bfloat16
    if not devices.has_bfloat16(device) or not catalog.network(config.network).bfloat16:
        return torch.float32
    if device.type == "cuda":
        return torch.bfloat16
    return torch.bfloat16 if gain(config, device, interrupted) > WORTH_IT else torch.float32


def gain(config: RunConfig, device: torch.device, interrupted: Callable[[], bool]) -> float:
    """How many times as fast as in single precision a step is in bfloat16 on this machine."""
    key = f"{machine()}; {same_speed(config)}"
    known = _read()
    if key not in known:
        trials = [
            Trial(config, device, precision, interrupted)
            for precision in (torch.float32, torch.bfloat16)
        ]
        # In turns, and the best of each: something else may use the machine for a moment.
        rounds = [[trial.step_s() for trial in trials] for _ in range(ROUNDS)]
        float32_s, bfloat16_s = (min(times_s) for times_s in zip(*rounds, strict=True))
        known[key] = float32_s / bfloat16_s
        _write(known)
    return known[key]


def same_speed(config: RunConfig) -> str:
    """A text that is the same for runs whose steps take the same time."""
    return config.model_dump_json(include=set(DECISIVE))


def machine() -> str:
    """What else decides it: the computer, its library and the threads in use."""
    return f"{platform.node()}, torch {torch.__version__}, {torch.get_num_threads()} threads"


def decisions() -> Path:
    """Where the gains are kept, beside the data sets."""
    return data_folder() / "bfloat16.json"


# Decisions of this process, for when the folder cannot be written.
_known: dict[str, float] = {}


def _read() -> dict[str, float]:
    kept: dict[str, float] = {}
    # A damaged file only costs the time to measure again.
    with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
        kept = {key: float(value) for key, value in json.loads(decisions().read_text()).items()}
    return {key: value for key, value in _known.items() if key not in kept} | kept


def _write(known: dict[str, float]) -> None:
    newest = dict(list(known.items())[-REMEMBERED:])
    _known.clear()
    _known.update(newest)
    with contextlib.suppress(OSError):
        decisions().parent.mkdir(parents=True, exist_ok=True)
        with replacing(decisions()) as partial:
            partial.write_text(json.dumps(newest, indent=1))
