"""Ray task: the training loop on a machine of the cluster, its events sent in batches."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from cnnlab import allocator, devices
from cnnlab.errors import CnnLabError
from cnnlab.training import memory, run_memory
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate, estimate
from cnnlab.training.events import ENDINGS, Event, Failed, can_wait
from cnnlab.training.loop import train
from cnnlab.training.step_timing import Interrupted

# Points come faster than anybody can look; a few times a second they are sent together.
FLUSH_S = 0.1
# Steps of which one takes longer are not worth an estimate.
ESTIMATE_S = 20.0

# Events as JSON, and at the end the bytes of the weights: the server may share no disk with us.
Batch = tuple[list[str], bytes | None]


def train_on_node(run: str, config: str, gpus: float, stops: Any) -> Iterator[Batch]:
    """Do a run and give its events; `stops` is the actor that knows who wants to end."""
    asked = threading.Event()
    threading.Thread(target=_listen, args=(stops, run, asked), daemon=True).start()
    allocator.keep_memory()
    _keep_to_share(gpus)
    with tempfile.TemporaryDirectory(prefix="cnnlab-") as folder:
        yield from batches(config, Path(folder) / "weights.safetensors", asked.is_set, gpus)
    # Ray keeps the process for the next task.
    allocator.give_back()


def estimate_on_node(config: str, gpus: float) -> str:
    """How fast this machine does such runs, or why it cannot, as JSON."""
    allocator.keep_memory()
    _keep_to_share(gpus)
    end_s = time.monotonic() + ESTIMATE_S
    try:
        run = RunConfig.from_json(config)
        _check_memory(run, gpus)
        return estimate(run, lambda: time.monotonic() > end_s).model_dump_json()
    except Interrupted:
        return Estimate(
            problem=f"A few steps of this run take more than {ESTIMATE_S:g} s on the cluster. Use "
            "a smaller batch, smaller pictures or a narrower network."
        ).model_dump_json()
    except (CnnLabError, RuntimeError, MemoryError) as error:
        problem = f"{memory.ADVICE}." if memory.is_lacking(error) else str(error)
        return Estimate(problem=problem).model_dump_json()
    finally:
        allocator.give_back()


def _keep_to_share(gpus: float) -> None:
    """Ray only counts shares of a GPU; that a task keeps to its own is for PyTorch to enforce."""
    if 0 < gpus < 1 and torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(gpus)


def _check_memory(config: RunConfig, gpus: float) -> None:
    device = devices.resolve(config.device)
    share = gpus if device.type == "cuda" and 0 < gpus < 1 else 1.0
    run_memory.check(config, run_memory.allowed_bytes(device, share))


def batches(
    config: str, weights: Path, should_stop: Callable[[], bool], gpus: float = 0
) -> Iterator[Batch]:
    """The events of a run in batches; the last batch holds the ending and the weights."""
    waiting: list[str] = []
    sent_s = 0.0
    for event in _events(config, weights, should_stop, gpus):
        waiting.append(event.model_dump_json())
        ended = isinstance(event, ENDINGS)
        if not can_wait(event) or time.monotonic() - sent_s > FLUSH_S:
            yield waiting, weights.read_bytes() if ended and weights.exists() else None
            waiting, sent_s = [], time.monotonic()


def _events(
    config: str, weights: Path, should_stop: Callable[[], bool], gpus: float
) -> Iterator[Event]:
    try:
        run = RunConfig.from_json(config)
        _check_memory(run, gpus)
        yield from train(run, save_to=weights, should_stop=should_stop)
    except CnnLabError as error:
        yield Failed(message=str(error))


def _listen(stops: Any, run: str, asked: threading.Event) -> None:
    import ray

    try:
        if ray.get(stops.wait.remote(run)):
            asked.set()
    except ray.exceptions.RayError:
        # The server is gone, and Ray ends its tasks.
        asked.set()
