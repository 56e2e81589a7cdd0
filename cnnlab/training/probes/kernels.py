"""Probe: the windows of the first convolution, as pictures."""

from collections.abc import Generator
from typing import Literal

from torch import nn

from cnnlab.errors import ConfigError
from cnnlab.training.probes.probe import Observed, Probe, Readings

KERNELS, CHANNELS = 64, 3


class KernelsProbe(Probe):
    """The weights of the first convolution after the step.

    `values` of its layer: `kernels`, packed, shape (up to 64 kernels, up to 3 channels, H, W).
    """

    kind: Literal["kernels"] = "kernels"

    def check(self, model: nn.Module) -> None:
        if _first(model) is None:
            raise ConfigError(
                "probes: 'kernels' was asked for, but this network has no convolution. "
                "Leave the probe out."
            )

    def observe(self, run: Observed) -> Generator[None, None, Readings]:
        yield
        yield
        first = _first(run.model)
        assert first is not None
        path, convolution = first
        return {path: {"kernels": convolution.weight.detach()[:KERNELS, :CHANNELS].clone()}}


def _first(model: nn.Module) -> tuple[str, nn.Conv2d] | None:
    modules = model.named_modules()
    return next(((path, m) for path, m in modules if isinstance(m, nn.Conv2d)), None)
