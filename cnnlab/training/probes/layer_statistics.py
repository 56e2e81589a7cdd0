"""Probe: how large activations, gradients, weights and updates are, layer by layer."""

from collections.abc import Generator
from typing import Literal

import torch
from torch import Tensor, nn

from cnnlab.hooks import leaves, watching
from cnnlab.training.probes.probe import Observed, Probe, Readings
from cnnlab.training.probes.samples import SCALES, sample, summarize


class LayerStatisticsProbe(Probe):
    """Statistics of every layer, of its output and of its weights.

    `values` of a layer: `mean`, `std`, `zeros` (a share) and `activations` of its output; of a
    layer with weights also `gradient_norm`, `gradients`, `weight_norm`, `weights`, and `update`,
    the norm of the step by that of the weights. `activations`, `gradients` and `weights` are
    counts in 40 bins, whose edges are in `samples.SCALES`. Of a ReLU `dead` is the share of units
    (of a map: channels) that are zero for every picture of the batch. All but `dead` and the two
    norms come from at most 4,096 values of a tensor.
    """

    kind: Literal["layer_statistics"] = "layer_statistics"

    def observe(self, run: Observed) -> Generator[None, None, Readings]:
        layers = [(path, m) for path, m in leaves(run.model) if not isinstance(m, nn.Flatten)]
        weights = {path: weight for path, m in layers if (weight := main_weight(m)) is not None}
        outputs: dict[str, Tensor] = {}
        dead: dict[str, Tensor] = {}
        before = {path: sample(weight) for path, weight in weights.items()}
        norms = {path: torch.linalg.vector_norm(w.detach()) for path, w in weights.items()}

        def note(path: str, module: nn.Module, _input: Tensor, output: Tensor) -> None:
            outputs[path] = sample(output)
            if isinstance(module, nn.ReLU):
                dead[path] = dead_share(output)

        with watching(layers, note):
            yield
        gradients = {path: w.grad for path, w in weights.items() if w.grad is not None}
        slopes = {path: sample(gradient) for path, gradient in gradients.items()}
        found = _columns(outputs, "activations", statistics=True)
        _merge(found, {path: {"dead": share} for path, share in dead.items()})
        _merge(found, _columns(slopes, "gradients"))
        for path, gradient in gradients.items():
            found[path]["gradient_norm"] = torch.linalg.vector_norm(gradient.float())
        yield
        _merge(found, _columns(before, "weights"))
        for path, old in before.items():
            step = torch.linalg.vector_norm(sample(weights[path]) - old)
            found[path]["weight_norm"] = norms[path]
            found[path]["update"] = step / torch.linalg.vector_norm(old).clamp_min(1e-30)
        return found


def main_weight(module: nn.Module) -> nn.Parameter | None:
    """A layer's weights; its biases are left out."""
    return next((p for p in module.parameters(recurse=False) if p.requires_grad), None)


def dead_share(output: Tensor) -> Tensor:
    """Share of the units of a batch that are zero for each of its pictures."""
    others = [axis for axis in range(output.dim()) if axis != 1]
    return 1 - output.detach().ne(0).any(dim=others).float().mean()


def _columns(samples: dict[str, Tensor], name: str, statistics: bool = False) -> Readings:
    if not samples:
        return {}
    summary = summarize(list(samples.values()), SCALES[name])
    columns = {name: summary.histogram}
    if statistics:
        columns |= {"mean": summary.mean, "std": summary.std, "zeros": summary.zeros}
    rows = zip(*(column.unbind() for column in columns.values()), strict=True)
    return {
        path: dict(zip(columns, row, strict=True)) for path, row in zip(samples, rows, strict=True)
    }


def _merge(found: Readings, more: Readings) -> None:
    for path, values in more.items():
        found.setdefault(path, {}).update(values)
