"""The training loop: the only one, for a terminal, a notebook, a worker and a cluster."""

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from cnnlab import datasets, devices
from cnnlab.training import precision
from cnnlab.training.config import RunConfig
from cnnlab.training.events import Cancelled, Event, Failed, Finished
from cnnlab.training.trainer import Trainer


def train(
    config: RunConfig,
    *,
    save_to: Path | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Train a network and report what happens; the last event says how it ended.

    The same configuration on the same CPU gives the same events but for their times.
    The caller's random numbers are left alone. `should_stop` is asked after every step.

    Raises: CnnLabError when the run cannot start.
    """
    run = _run(config, save_to, should_stop)
    own_state: Tensor | None = None
    while True:
        callers_state = torch.get_rng_state()
        if own_state is not None:
            torch.set_rng_state(own_state)
        try:
            event = next(run)
        except StopIteration:
            return
        finally:
            own_state = torch.get_rng_state()
            torch.set_rng_state(callers_state)
        yield event


def _run(
    config: RunConfig, save_to: Path | None, should_stop: Callable[[], bool]
) -> Iterator[Event]:
    trainer = None
    try:
        device = devices.resolve(config.device)
        data = resident(config.dataset, device)
        way = precision.choose(config, device)
        trainer = Trainer(config, data, way.dtype, way.memory_format)
        yield trainer.started()
        yield from trainer.steps(should_stop)
        loss, _ = trainer.epoch_metrics.read()
        if math.isfinite(loss):
            if not (trainer.stopped or trainer.evaluated):
                yield from trainer.evaluate(should_stop)
            stopped = trainer.stopped or not trainer.evaluated
            yield trainer.ending(Cancelled if stopped else Finished, save_to)
        else:
            yield Failed(
                message=f"The loss became {loss} at step {trainer.step}: the steps "
                f"are too large and the weights ran away. Lower the learning rate (it was "
                f"{config.lr:g}), or switch batch normalization on.",
                step=trainer.step,
                elapsed_s=trainer.elapsed_s,
            )
    except (RuntimeError, MemoryError) as error:
        if not _lacks_memory(error):
            raise
        yield Failed(
            message="The device ran out of memory. Use a smaller batch, smaller pictures or a "
            f"narrower network (the batch was {config.batch_size} pictures of "
            f"{config.image_size}×{config.image_size}).",
            step=trainer.step if trainer else 0,
        )


def _lacks_memory(error: Exception) -> bool:
    """PyTorch has an error of its own for a full GPU, and only a message for a full CPU."""
    full = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return full or "DefaultCPUAllocator" in str(error)


@lru_cache(maxsize=1)
def resident(name: str, device: torch.device) -> datasets.Dataset:
    """A whole data set on the device; the last one stays, so that the next run starts at once."""
    return datasets.load(name).to(device)
