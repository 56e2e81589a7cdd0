"""Ray task: the training loop on a machine of the cluster, its events sent in batches."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from cnnlab import allocator
from cnnlab.errors import CnnLabError
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate, estimate
from cnnlab.training.events import ENDINGS, Event, Failed, can_wait
from cnnlab.training.loop import train

# Points come faster than anybody can look; a few times a second they are sent together.
FLUSH_S = 0.1

# Events as JSON, and at the end the bytes of the weights: the server may share no disk with us.
Batch = tuple[list[str], bytes | None]


def train_on_node(run: str, config: str, gpus: float, stops: Any) -> Iterator[Batch]:
    """Do a run and give its events; `stops` is the actor that knows who wants to end."""
    asked = threading.Event()
    threading.Thread(target=_listen, args=(stops, run, asked), daemon=True).start()
    allocator.keep_memory()
    if 0 < gpus < 1 and torch.cuda.is_available():
        # Ray only counts shares of a GPU; that a run keeps to its own is for PyTorch to enforce.
        torch.cuda.set_per_process_memory_fraction(gpus)
    with tempfile.TemporaryDirectory(prefix="cnnlab-") as folder:
        yield from batches(config, Path(folder) / "weights.safetensors", asked.is_set)
    # Ray keeps the process for the next task.
    allocator.give_back()


def estimate_on_node(config: str) -> str:
    """How fast this machine does such runs, or why it cannot, as JSON."""
    allocator.keep_memory()
    try:
        return estimate(RunConfig.from_json(config)).model_dump_json()
    except (CnnLabError, RuntimeError, MemoryError) as error:
        return Estimate(problem=str(error)).model_dump_json()
    finally:
        allocator.give_back()


def batches(config: str, weights: Path, should_stop: Callable[[], bool]) -> Iterator[Batch]:
    """The events of a run in batches; the last batch holds the ending and the weights."""
    waiting: list[str] = []
    sent_s = 0.0
    for event in _events(config, weights, should_stop):
        waiting.append(event.model_dump_json())
        ended = isinstance(event, ENDINGS)
        if not can_wait(event) or time.monotonic() - sent_s > FLUSH_S:
            yield waiting, weights.read_bytes() if ended and weights.exists() else None
            waiting, sent_s = [], time.monotonic()


def _events(config: str, weights: Path, should_stop: Callable[[], bool]) -> Iterator[Event]:
    try:
        yield from train(RunConfig.from_json(config), save_to=weights, should_stop=should_stop)
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
