"""Probe: what batch normalization subtracts and divides by, and what it has learned."""

from collections.abc import Generator
from typing import Literal

import torch
from torch import Tensor, nn

from cnnlab.errors import ConfigError
from cnnlab.networks.batch_norm import BatchNorm, NormLayer
from cnnlab.training.probes.probe import Observed, Probe, Readings

# Channels shown of one layer, spread over all of them.
CHANNELS = 32


class BatchNormProbe(Probe):
    """Batch and running statistics of every batch normalization.

    `values` of a layer, one number for each of up to 32 channels (`channels` says which):
    `batch_mean`, `batch_var` (unbiased), `running_mean`, `running_var` after the step, and
    `gamma`, `beta` where the layer has them.
    """

    kind: Literal["batch_norm"] = "batch_norm"

    def check(self, model: nn.Module) -> None:
        if not _layers(model):
            raise ConfigError(
                "probes: 'batch_norm' was asked for, but this network has no batch normalization. "
                "Switch it on, or leave the probe out."
            )

    def observe(self, run: Observed) -> Generator[None, None, Readings]:
        layers = _layers(run.model)
        before = {path: _running(layer) for path, layer in layers.items()}
        yield
        found: Readings = {}
        for path, layer in layers.items():
            shown = channels(layer.num_features)
            now = _running(layer)
            found[path] = {"running_mean": now[0][shown], "running_var": now[1][shown]}
            weight = _weight_of_batch(layer)
            if weight is None:
                continue
            for name, new, old in zip(("batch_mean", "batch_var"), now, before[path], strict=True):
                # No hook is needed: the new average is made of the old one and of the batch.
                found[path][name] = ((new - (1 - weight) * old) / weight)[shown]
        yield
        for path, layer in layers.items():
            shown = channels(layer.num_features)
            for name, parameter in _scale_and_shift(layer).items():
                found[path][name] = parameter.detach()[shown].clone()
        return found


def channels(count: int) -> slice:
    """The channels that are shown of a layer with so many."""
    return slice(0, count, -(-count // CHANNELS))


def _layers(model: nn.Module) -> dict[str, NormLayer]:
    return {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, NormLayer) and module.running_mean is not None
    }


def _scale_and_shift(layer: NormLayer) -> dict[str, nn.Parameter]:
    """What a layer has learned; nothing where it learns nothing."""
    if isinstance(layer, BatchNorm):
        return {"gamma": layer.gamma, "beta": layer.beta}
    return {"gamma": layer.weight, "beta": layer.bias} if layer.affine else {}


def _running(layer: NormLayer) -> tuple[Tensor, Tensor]:
    assert layer.running_mean is not None
    assert layer.running_var is not None
    return layer.running_mean.clone(), layer.running_var.clone()


def _weight_of_batch(layer: NormLayer) -> Tensor | None:
    """The share of the last batch in the running average; None where it has none."""
    if not isinstance(layer, BatchNorm) and layer.momentum is None:  # the average of all so far
        assert layer.num_batches_tracked is not None
        return 1 / layer.num_batches_tracked.float()
    return torch.as_tensor(layer.momentum) if layer.momentum else None
