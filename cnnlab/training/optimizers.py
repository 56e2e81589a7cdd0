"""Optimizers by name."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from cnnlab.errors import ConfigError

if TYPE_CHECKING:
    from cnnlab.training.config import RunConfig


def sgd(parameters: list[nn.Parameter], config: "RunConfig", **common: Any) -> torch.optim.SGD:
    """Plain gradient descent; momentum keeps a share of the last step."""
    return torch.optim.SGD(parameters, momentum=config.momentum, **common)


def adam(parameters: list[nn.Parameter], _config: "RunConfig", **common: Any) -> torch.optim.Adam:
    """Steps divided by the gradient's recent size: Kingma & Ba 2014."""
    return torch.optim.Adam(parameters, **common)


def adamw(parameters: list[nn.Parameter], _config: "RunConfig", **common: Any) -> torch.optim.AdamW:
    """Adam with the weight decay taken out of the gradient: Loshchilov & Hutter 2017."""
    return torch.optim.AdamW(parameters, **common)


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": sgd,
    "adam": adam,
    "adamw": adamw,
}


def build_optimizer(
    config: "RunConfig", parameters: Iterable[nn.Parameter], device: torch.device
) -> torch.optim.Optimizer:
    """The optimizer of a run; fused into one kernel where the device has it.

    Raises: ConfigError for an optimizer that does not exist.
    """
    if config.optimizer not in OPTIMIZERS:
        raise ConfigError(
            f"There is no optimizer {config.optimizer!r}; there are {', '.join(OPTIMIZERS)}."
        )
    return OPTIMIZERS[config.optimizer](
        list(parameters),
        config,
        lr=config.lr,
        weight_decay=config.weight_decay,
        fused=device.type in ("cpu", "cuda"),
    )
