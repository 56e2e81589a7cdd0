"""Bench for batch normalization: one channel of a real minibatch, taken through it step by step."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from cnnlab import catalog
from cnnlab.datasets import shapes
from cnnlab.datasets.augment import Augment, prepare
from cnnlab.errors import ConfigError
from cnnlab.training import checkpoint

NETWORK, IMAGE_SIZE = "lenet", 32
CHANNELS = 6
BATCH_SIZES = (2, 4, 8, 16, 32, 64)
# Batches of the largest size that the running statistics have seen.
SEEN = 20
# Sets of pictures that can share a batch with the first.
COMPANIONS = 8


@dataclass(frozen=True)
class Bench:
    """A channel before and after each step, and the numbers by which it is standardized.

    `mean` and `variance` are those in use: the batch's in training, the running ones in prediction.

    Shape: `before`, `standardized` and `after` (N, H, W).
    """

    before: Tensor
    standardized: Tensor
    after: Tensor
    mean: float
    variance: float
    eps: float


def bench(
    batch_size: int,
    channel: int,
    gamma: float = 1.0,
    beta: float = 0.0,
    *,
    training: bool = True,
    companions: int = 0,
) -> Bench:
    """Batch normalization of a channel of LeNet's first convolution, with fresh weights.

    The first picture of the batch is always the same; `companions` says which others it meets.

    Raises: ConfigError for a batch size, a channel or companions that there are not.
    """
    for name, given, allowed in (
        ("batch_size", batch_size, BATCH_SIZES),
        ("channel", channel, range(CHANNELS)),
        ("companions", companions, range(COMPANIONS)),
    ):
        if given not in allowed:
            raise ConfigError(
                f"{name}: {given} was given; it can be {', '.join(map(str, allowed))}."
            )
    before = maps(companions)[:batch_size, channel]
    norm = layer()
    if training:
        # Over all pixels of all pictures; of a batch, the biased variance.
        mean, variance = before.mean(), before.var(correction=0)
    else:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        mean, variance = norm.running_mean[channel], norm.running_var[channel]
    standardized = (before - mean) / (variance + norm.eps).sqrt()
    after = gamma * standardized + beta
    return Bench(before, standardized, after, float(mean), float(variance), norm.eps)


@lru_cache(maxsize=1)
def model() -> nn.Sequential:
    """LeNet with batch norm as a run with seed 0 begins, its running statistics settled."""
    options = catalog.network(NETWORK).preset("small").replace(batch_norm=True, in_channels=3)
    built = checkpoint.fresh(NETWORK, options, IMAGE_SIZE, seed=0)
    assert isinstance(built, nn.Sequential)
    return built


@lru_cache(maxsize=1)
def layer() -> nn.BatchNorm2d:
    """The batch norm after the first convolution, which has seen some batches in training."""
    norm = nn.BatchNorm2d(CHANNELS)
    with torch.no_grad():
        for batch in range(SEEN):
            norm(_convolved(pictures(seed=100 + batch, count=BATCH_SIZES[-1])))
    return norm.eval()


@lru_cache(maxsize=COMPANIONS)
def maps(companions: int) -> Tensor:
    """What the first convolution makes of a batch. Shape: (64, 6, 32, 32)."""
    first = pictures(seed=0, count=BATCH_SIZES[-1])[:1]
    others = pictures(seed=1 + companions, count=BATCH_SIZES[-1])[1:]
    return _convolved(torch.cat([first, others]))


def pictures(seed: int, count: int) -> Tensor:
    """Drawn shapes as the network's input. Shape: (count, 3, 32, 32)."""
    stored, _ = shapes.render(count, seed)
    return prepare(stored, IMAGE_SIZE, Augment(), torch.Generator())


def _convolved(batch: Tensor) -> Tensor:
    with torch.no_grad():
        found: Tensor = model().get_submodule("conv1")(batch)
    return found
