"""Optimizers and learning-rate schedules by name."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler

from cnnlab.training.config import RunConfig


def build_optimizer(
    config: RunConfig, parameters: Iterable[nn.Parameter], device: torch.device
) -> torch.optim.Optimizer:
    """The optimizer of a run; fused into one kernel where the device has it."""
    parameters = list(parameters)
    fused = device.type in ("cpu", "cuda")
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            parameters,
            lr=config.lr,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            fused=fused,
        )
    adam = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return adam(parameters, lr=config.lr, weight_decay=config.weight_decay, fused=fused)


def build_schedule(config: RunConfig, optimizer: torch.optim.Optimizer, steps: int) -> LRScheduler:
    """The learning rate of each step: constant, or falling to zero along half a cosine."""
    if config.schedule == "cosine":
        return CosineAnnealingLR(optimizer, T_max=steps)
    return LambdaLR(optimizer, lambda _step: 1.0)
