"""A step recorded once as a CUDA graph and replayed: one launch instead of hundreds."""

import os
from collections.abc import Callable

import torch
from torch import Tensor

# From pictures and labels to loss and logits; the gradients are left in the parameters.
Learn = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
# Libraries choose kernels and reserve memory in the first steps, which cannot be recorded.
STEPS_BEFORE = 5
SWITCH = "CNNLAB_CUDA_GRAPHS"


def wanted(device: torch.device) -> bool:
    """Whether steps on this device are to be recorded."""
    return device.type == "cuda" and os.environ.get(SWITCH) == "1"


class GraphedStep:
    """Forward and backward pass for batches of one shape, always in the same memory.

    The parameters' gradients must be None before, so that they are made inside the graph.
    """

    def __init__(self, learn: Learn, images: Tensor, labels: Tensor) -> None:
        self._images, self._labels = images.clone(), labels.clone()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._loss, self._logits = learn(self._images, self._labels)

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The same step for other pictures; the results are overwritten by the next one."""
        self._images.copy_(images)
        self._labels.copy_(labels)
        self._graph.replay()
        return self._loss, self._logits
