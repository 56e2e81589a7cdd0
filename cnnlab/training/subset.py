"""Which pictures of a data set a run learns from."""

import torch
from torch import Tensor


def subset(available: int, count: int) -> Tensor:
    """The numbers of `count` training pictures out of those available.

    Drawn once, the same for every seed, so that seeds stay comparable; a larger subset begins with
    the smaller one.

    Shape: int64 (count,).
    """
    return torch.randperm(available, generator=torch.Generator().manual_seed(0))[:count]
