"""Memory of a run, foreseen from its trace before anything of it is built."""

from functools import lru_cache
from math import prod

import torch

from cnnlab import budget, catalog
from cnnlab.errors import TrainingError
from cnnlab.networks.options import Options
from cnnlab.trace import trace_of
from cnnlab.training.config import RunConfig
from cnnlab.training.evaluation import batch_size

# Copies of the weights that an optimizer keeps.
STATES = {"sgd": 0, "adam": 2, "adamw": 2}
# Besides weights and gradients: what initialization and the optimizer's step make in passing.
PASSING = 1
# Layers keep their outputs for the way back, normalizations and pooling a little more; measured 0.8
# to 1.5 times the outputs (`tests/unit/test_run_memory.py`).
KEPT = 1.5
# In prediction a layer's input and output are there at once, and what is made on the way.
AT_ONCE = 3
SMALLEST_BATCH = 2
# Data set, kernels of libraries, optimizer's bookkeeping.
FIXED_BYTES = 128 * 2**20


def run_bytes(config: RunConfig) -> int:
    """What a run will take at most, besides the process that is there anyway. Units: bytes."""
    weights, outputs, largest = _sizes(config)
    states = STATES.get(config.optimizer, 2) or (1 if config.momentum else 0)
    training = int(KEPT * outputs * config.batch_size)
    testing = AT_ONCE * largest * batch_size(config.batch_size)
    return weights * (2 + states + PASSING) + max(training, testing) + FIXED_BYTES


def check(config: RunConfig, allowed_bytes: int) -> None:
    """Hold a run against what it may take.

    Raises: TrainingError with both amounts and the nearest setting that fits.
    """
    needed = run_bytes(config)
    if needed <= allowed_bytes:
        return
    size = config.batch_size // 2
    while size >= SMALLEST_BATCH and run_bytes(config.replace(batch_size=size)) > allowed_bytes:
        size //= 2
    fits = size >= SMALLEST_BATCH
    remedy = (
        f"With a batch of {size} it fits."
        if fits
        else "Choose smaller pictures or a narrower network."
    )
    raise TrainingError(
        f"This run takes about {needed / 2**30:.1f} GB of memory, and {allowed_bytes / 2**30:.1f} "
        f"GB are there for it. {remedy}"
    )


def allowed_bytes(device: torch.device, share: float = 1.0) -> int:
    """What a run may take of a device of which it has a share. Units: bytes."""
    if device.type == "cuda":
        return int(0.95 * share * torch.cuda.get_device_properties(device).total_memory)
    return int(share * budget.runs_bytes())


@lru_cache(maxsize=512)
def _sizes_of(network: str, options: Options, image_size: int) -> tuple[int, int, int]:
    found = trace_of(catalog.network(network), options, image_size)
    outputs = [prod(node.output_shape) for node in found.nodes]
    params = sum(node.params for node in found.nodes)
    return budget.FLOAT * params, budget.FLOAT * sum(outputs), budget.FLOAT * max(outputs)


def _sizes(config: RunConfig) -> tuple[int, int, int]:
    """Weights, all outputs for one picture, and the largest of them. Units: bytes."""
    return _sizes_of(config.network, config.options, config.image_size)
