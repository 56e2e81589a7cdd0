"""An experiment run outside the app: its runs side by side, one core each, as the app does it."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

import torch

from cnnlab import allocator
from cnnlab.devices import usable_cores
from cnnlab.experiments.experiment import SEEDS, Experiment
from cnnlab.experiments.outcome import Outcome, gather
from cnnlab.training import RunConfig, train

# Called whenever a run has ended: how many have, and how many there are.
Done = Callable[[int, int], None]


def run(
    experiment: Experiment,
    seeds: Sequence[int] = SEEDS,
    dataset: str | None = None,
    done: Done = lambda _ended, _all: None,
) -> list[Outcome]:
    """All arms with all seeds, and what they came to.

    Arms that are stopped by the clock compete for the cores like any others, so that a seed's arms
    run beside each other under like conditions.
    """
    return run_all(experiment.configs(seeds, dataset), done)


def run_all(configs: Sequence[RunConfig], done: Done = lambda _ended, _all: None) -> list[Outcome]:
    """Runs side by side, one core each, and what they came to."""
    # A copy of a process that has computed with several threads would wait for them for ever.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(usable_cores(), fresh, initializer=_one_core) as pool:
        waiting = {pool.submit(run_one, config): place for place, config in enumerate(configs)}
        found: dict[int, Outcome] = {}
        for ended in as_completed(waiting):
            found[waiting[ended]] = ended.result()
            done(len(found), len(configs))
    return [found[place] for place in range(len(configs))]


def run_one(config: RunConfig) -> Outcome:
    """One run, from its first step to its end."""
    return gather(config, train(config))


def _one_core() -> None:
    allocator.keep_memory()
    torch.set_num_threads(1)
