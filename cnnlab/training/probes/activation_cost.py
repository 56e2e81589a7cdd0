"""Probe: how long the activation functions of a step take, forward and backward."""

import time
from collections.abc import Generator
from typing import Literal

import torch
from torch import Tensor, nn

from cnnlab import devices
from cnnlab.hooks import leaves, watching
from cnnlab.networks.options import ACTIVATIONS
from cnnlab.training.probes.probe import Observed, Probe, Readings

# Of so many the shortest counts: whatever else the machine does only makes it longer.
REPETITIONS = 5


class ActivationCostProbe(Probe):
    """Time that each activation layer takes, measured on the values that reach it in the step.

    `values` of an activation layer: `forward_s` and `backward_s`, each the shortest of five. Of the
    whole network: `pass_s`, the forward and backward pass of this one step; other probes that look
    at the same step lengthen it.
    """

    kind: Literal["activation_cost"] = "activation_cost"

    def observe(self, run: Observed) -> Generator[None, None, Readings]:
        kinds = tuple(ACTIVATIONS.values())
        layers = {path: m for path, m in leaves(run.model) if isinstance(m, kinds)}
        inputs: dict[str, Tensor] = {}

        def note(path: str, _module: nn.Module, given: Tensor, _output: Tensor) -> None:
            inputs[path] = given.detach().clone()

        device = next(run.model.parameters()).device
        with watching(layers.items(), note):
            begin_s = now_s(device)
            yield
            pass_s = now_s(device) - begin_s
        found: Readings = {"": {"pass_s": torch.tensor(pass_s)}}
        for path, given in inputs.items():
            forward_s, backward_s = shortest_s(layers[path], given)
            found[path] = {
                "forward_s": torch.tensor(forward_s),
                "backward_s": torch.tensor(backward_s),
            }
        yield
        return found


def shortest_s(activation: nn.Module, given: Tensor) -> tuple[float, float]:
    """Seconds of a forward and of a backward pass through an activation alone.

    Raises: RuntimeError for an activation that writes over what it is given.
    """
    x = given.requires_grad_()
    slopes = torch.ones_like(x)
    forward, backward = [], []
    with torch.enable_grad():
        for _ in range(REPETITIONS):
            begin_s = now_s(x.device)
            y = activation(x)
            middle_s = now_s(x.device)
            torch.autograd.grad(y, x, slopes)
            forward.append(middle_s - begin_s)
            backward.append(now_s(x.device) - middle_s)
    return min(forward), min(backward)


def now_s(device: torch.device) -> float:
    """The clock, when the device has done all that it was given."""
    devices.synchronize(device)
    return time.perf_counter()
