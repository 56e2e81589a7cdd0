"""The training loop: the only one, for a terminal, a notebook, a worker and a cluster."""

import time
from collections.abc import Callable, Generator, Iterator
from functools import lru_cache
from pathlib import Path

import torch

from cnnlab import datasets, devices
from cnnlab.training import endings, memory, precision
from cnnlab.training.compute_format import ComputeFormat
from cnnlab.training.config import RunConfig
from cnnlab.training.endings import Ending
from cnnlab.training.evaluation import evaluate, foreseen_s
from cnnlab.training.events import Cancelled, Event, Finished
from cnnlab.training.own_state import OwnState
from cnnlab.training.probes.observation import Observer
from cnnlab.training.run_state import RunState
from cnnlab.training.step_timing import Interrupted
from cnnlab.training.trainer import Trainer

# Of a budget, so much may go into trying number formats.
TRIALS_SHARE = 0.2


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
    device = devices.resolve(config.device)
    run, own_state = _run(config, device, save_to, should_stop), OwnState(device)
    while True:
        with own_state:
            event = next(run, None)
        if event is None:
            return
        yield event


def _run(
    config: RunConfig, device: torch.device, save_to: Path | None, should_stop: Callable[[], bool]
) -> Iterator[Event]:
    """The loop; when its ending is told, its memory is free again."""
    run: RunState | None = None
    trainer: Trainer | None = None
    # Loading, trying number formats and building count against the budget.
    begun_s = time.perf_counter()
    try:
        data = resident(config.dataset, device)
        way = number_format(config, device)
        trainer = Trainer(config, data, way.dtype, way.memory_format)
        test_s = 0.0 if config.budget_s is None else foreseen_s(trainer)
        run = RunState(config, trainer.plan, trainer.device, begun_s, test_s)
        yield trainer.started()
        ending = yield from steps(run, trainer, save_to, should_stop)
    except (RuntimeError, MemoryError) as error:
        if not memory.is_lacking(error):
            raise
        ending = endings.out_of_memory(config, run)
    finally:
        trainer = None
        memory.release(device)
    yield ending


def number_format(config: RunConfig, device: torch.device) -> ComputeFormat:
    """The format in which a run is computed; the usual one where trials take too much of a budget.

    Raises: ConfigError for a format that the device does not compute in.
    """
    if config.budget_s is None:
        return precision.choose(config, device)
    end_s = time.perf_counter() + TRIALS_SHARE * config.budget_s
    try:
        return precision.choose(config, device, lambda: time.perf_counter() > end_s)
    except Interrupted:
        return precision.candidates(config, device)[0]


def steps(
    run: RunState, trainer: Trainer, save_to: Path | None, should_stop: Callable[[], bool]
) -> Generator[Event, None, Ending]:
    """Train to the end of the plan, the budget or the reader's stop."""
    plan = run.plan
    observer = Observer(run.config.probes, trainer, plan.observation_steps)
    trainer.model.train()
    for batch in trainer.batches():
        run.begin_step()
        observation = observer.at(run.step)
        trainer.update(batch, run.recent, observation)
        if observation is not None:
            yield from run.measurements(observation)

        if plan.checks(run.step) and run.diverged:
            return endings.diverged(run)
        if plan.reports(run.step):
            yield run.progress(trainer.lr)

        if should_stop():
            return endings.ended(Cancelled, run, trainer, save_to)
        last = run.step == plan.steps or run.budget_is_spent
        if last and run.diverged:
            return endings.diverged(run)
        if last or (run.step in plan.evaluation_steps and run.has_time_to_look):
            begin_s = time.perf_counter()
            test = evaluate(trainer, should_stop)
            if test is None:
                return endings.ended(Cancelled, run, trainer, save_to)
            yield run.evaluation(test, time.perf_counter() - begin_s)
            yield run.predicted(test)
        if last:
            break
    return endings.ended(Finished, run, trainer, save_to)


@lru_cache(maxsize=1)
def resident(name: str, device: torch.device) -> datasets.Dataset:
    """A whole data set on the device; the last one stays, so that the next run starts at once."""
    return datasets.load(name).to(device)
