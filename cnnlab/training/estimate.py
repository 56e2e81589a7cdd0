"""Estimated time of a run, before it starts."""

import time
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from cnnlab import devices
from cnnlab.datasets import DATASETS
from cnnlab.training import precision
from cnnlab.training.config import RunConfig
from cnnlab.training.plan import Plan
from cnnlab.training.step_timing import StepTimer


class Estimate(BaseModel):
    """The speed of runs like one, measured in a few steps; or why they cannot work.

    `busy` where other work on the machine made them longer. `gain` is the speed in bfloat16 by
    that in float32, where both were tried.
    Units: seconds to build the network, for a step and for a test picture.
    """

    model_config = ConfigDict(frozen=True)

    precision: str = ""
    build_s: float = 0.0
    step_s: float = 0.0
    test_image_s: float = 0.0
    busy: bool = False
    gain: float | None = None
    problem: str = ""

    def run_s(self, config: RunConfig) -> float:
        """Seconds that a run takes at this speed, from the start to the last test."""
        plan = Plan.of(config, DATASETS[config.dataset].test_size)
        test_s = len(plan.evaluation_steps) * plan.test_images * self.test_image_s
        whole_s = self.build_s + plan.steps * self.step_s + test_s
        return whole_s if config.budget_s is None else min(whole_s, config.budget_s)


def estimate(config: RunConfig, interrupted: Callable[[], bool] = lambda: False) -> Estimate:
    """Try a run's steps on made-up pictures, in the format in which it would be done.

    Raises: Interrupted as soon as `interrupted` says so; ConfigError for a device not there.
    """
    device = devices.resolve(config.device)
    way = precision.choose(config, device, interrupted, retake=True)
    begin_s = time.perf_counter()
    timer = StepTimer(config, device, way.dtype, way.memory_format, interrupted)
    build_s = time.perf_counter() - begin_s
    return Estimate(
        precision=way.precision,
        build_s=build_s,
        step_s=timer.step_s(),
        test_image_s=timer.test_image_s(),
        busy=timer.busy,
        gain=precision.gain(config, device) if way.precision == "bfloat16" else None,
    )
