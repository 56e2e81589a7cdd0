"""Initial weights, drawn for each parameter by its name."""

import hashlib
import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn


def pytorch_default(weight: Tensor, random: Generator) -> None:
    """Uniform with variance 1 / (3 fan_in), as PyTorch's layers begin."""
    nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=random)


def xavier(weight: Tensor, random: Generator) -> None:
    """The same variance in every layer, for symmetric activations: Glorot & Bengio 2010."""
    nn.init.xavier_uniform_(weight, generator=random)


def kaiming(weight: Tensor, random: Generator) -> None:
    """The same variance for ReLU, which throws half of it away: He et al. 2015."""
    nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=random)


INITIALIZATIONS: dict[str, Callable[[Tensor, Generator], None]] = {
    "default": pytorch_default,
    "xavier": xavier,
    "kaiming": kaiming,
}


def initialize(model: nn.Module, init: str, seed: int, scale: float = 1.0) -> None:
    """Draw every parameter anew, each from random numbers of its own.

    They depend on the seed and the parameter's name alone, so that two networks begin with the
    same weights wherever names and shapes agree, whatever else one of them has. `scale` is a
    factor on the weights of convolutions and fully-connected layers, not on their biases.
    """
    for path, module in model.named_modules():
        draw(module, path, init, seed, scale)


def draw(module: nn.Module, path: str, init: str, seed: int, scale: float = 1.0) -> None:
    """Draw the parameters that a module itself has; `path` is its name in the network."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        INITIALIZATIONS[init](module.weight, generator(seed, f"{path}.weight"))
        with torch.no_grad():
            module.weight.mul_(scale)
        if module.bias is not None:
            bound = 1 / math.sqrt(module.weight[0].numel())
            nn.init.uniform_(module.bias, -bound, bound, generator(seed, f"{path}.bias"))
    elif callable(reset := getattr(module, "reset_parameters", None)):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(derived_seed(seed, path))
            reset()


def generator(seed: int, name: str) -> Generator:
    """Random numbers that belong to a name."""
    return Generator().manual_seed(derived_seed(seed, name))


def derived_seed(seed: int, name: str) -> int:
    """A seed for one of the things that a run's seed decides; the same on every machine."""
    digest = hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
