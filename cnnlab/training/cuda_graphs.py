"""CUDA graph of a training step, recorded once and replayed: one launch instead of hundreds."""

import logging
import os
from collections.abc import Callable

import torch
from torch import Tensor

# From pictures and labels to loss and logits; the gradients are left in the parameters.
Learn = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
# Libraries choose kernels and reserve memory in the first steps, which cannot be recorded.
STEPS_BEFORE = 5
SWITCH = "CNNLAB_CUDA_GRAPHS"

log = logging.getLogger(__name__)


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


class StepRecorder:
    """Does a run's steps, by a graph from when there is one.

    `recorded` says whether the gradients have their place inside a graph, which reads and writes
    them there: from then on they may be zeroed, but not replaced.
    """

    def __init__(self, device: torch.device) -> None:
        self._graph: GraphedStep | None = None
        self._wanted = wanted(device)
        self._steps_before = STEPS_BEFORE

    @property
    def recorded(self) -> bool:
        return self._graph is not None

    def step(
        self, learn: Learn, images: Tensor, labels: Tensor, eager: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Loss and logits of a batch; `eager` steps run the model itself, so that hooks see it."""
        if self._wanted and not eager and self._steps_before <= 0:
            self._wanted = False
            self._graph = record(learn, images, labels)
        self._steps_before -= 1
        if self._graph is None or eager:
            return learn(images, labels)
        return self._graph(images, labels)


def record(learn: Learn, images: Tensor, labels: Tensor) -> GraphedStep | None:
    """The step as a graph; None where this network, driver or memory does not allow one."""
    try:
        return GraphedStep(learn, images, labels)
    except RuntimeError as error:
        log.warning("steps stay unrecorded: %s", error)
        return None
