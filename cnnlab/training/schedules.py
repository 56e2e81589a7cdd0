"""Learning-rate schedules by name."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler

from cnnlab.errors import ConfigError

if TYPE_CHECKING:
    from cnnlab.training.config import RunConfig


def constant(optimizer: Optimizer, _steps: int) -> LRScheduler:
    """The same rate at every step."""
    return LambdaLR(optimizer, lambda _step: 1.0)


def cosine(optimizer: Optimizer, steps: int) -> LRScheduler:
    """Falling to zero along half a cosine: Loshchilov & Hutter 2016."""
    return CosineAnnealingLR(optimizer, T_max=steps)


SCHEDULES: dict[str, Callable[[Optimizer, int], LRScheduler]] = {
    "constant": constant,
    "cosine": cosine,
}


def build_schedule(config: "RunConfig", optimizer: Optimizer, steps: int) -> LRScheduler:
    """The learning rate of each step. Raises: ConfigError for a schedule that does not exist."""
    if config.schedule not in SCHEDULES:
        raise ConfigError(
            f"There is no schedule {config.schedule!r}; there are {', '.join(SCHEDULES)}."
        )
    return SCHEDULES[config.schedule](optimizer, steps)
