"""Feature maps: what each layer makes of a picture."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnlab.errors import ConfigError
from cnnlab.hooks import private_copy, watching
from cnnlab.misfit import misfit
from cnnlab.trace import Shape, Trace


def extract(
    model: nn.Module, batch: Tensor, layers: Collection[str] | None = None
) -> dict[str, Tensor]:
    """The output maps of the layers and blocks of `model` for a batch of pictures.

    Shape: `batch` (N, C, H, W) -> {name: (N, channels, height, width)}, in running order.
    Raises: ConfigError when the picture does not fit or a layer name is unknown.
    """
    maps: dict[str, Tensor] = {}
    visit(model, batch, maps.__setitem__, layers)
    return maps


def visit(
    model: nn.Module,
    batch: Tensor,
    visitor: Callable[[str, Tensor], None],
    layers: Collection[str] | None = None,
    *,
    vectors: bool = False,
) -> Tensor:
    """Call `visitor(name, maps)` for each layer and block during one pass; nothing is kept.

    `vectors`: what has no height and width left is visited too. The result is the model's.

    Shape: `batch` (N, C, H, W), the maps (N, channels, height, width), vectors (N, features).
    Raises: ConfigError when the picture does not fit or a layer name is unknown.
    """
    if batch.dim() != 4 and (reason := misfit(model, tuple(batch.shape))):
        raise ConfigError(reason)
    watched = private_copy(model)
    modules = {name: module for name, module in watched.named_modules() if makes_maps(module)}
    if layers is not None:
        if unknown := [name for name in layers if name not in modules]:
            raise ConfigError(
                f"There is no layer {unknown[0]!r} in this {type(model).__name__}; "
                f"it has {', '.join(modules)}."
            )
        modules = {name: modules[name] for name in modules if name in layers}

    def pass_on(name: str, _module: nn.Module, _x: Tensor, y: Tensor) -> None:
        if y.dim() == 4 or (vectors and y.dim() == 2):
            visitor(name, y)

    with torch.no_grad(), watching(modules.items(), pass_on):
        try:
            made: Tensor = watched(batch)
        except RuntimeError:
            if reason := misfit(model, tuple(batch.shape)):
                raise ConfigError(reason) from None
            raise
    return made


def makes_maps(module: nn.Module) -> bool:
    """Whether a module adds something to look at; a Sequential repeats its last layer."""
    return not isinstance(module, nn.Sequential | nn.Identity)


class NoWeights(nn.Module):
    """Stands where a fully-connected layer was: as many outputs, all of them zero."""

    def __init__(self, out_features: int) -> None:
        super().__init__()
        self.out_features = out_features

    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros(*x.shape[:-1], self.out_features)


def take_off_head(model: nn.Module, shapes: Mapping[str, Shape]) -> None:
    """Take the fully-connected layers out that come after the last map.

    No map depends on them, and they hold most of the weights: 119 of 129 million in VGG.

    Shape: `shapes` are those of every module's output, in running order, as a trace has them.
    """
    for name in behind_maps(shapes):
        layer = model.get_submodule(name)
        if isinstance(layer, nn.Linear):
            model.set_submodule(name, NoWeights(layer.out_features))


def behind_maps(shapes: Mapping[str, Shape]) -> list[str]:
    """What runs after the last map, by name: the head of the network."""
    names = list(shapes)
    last_map = max((i for i, name in enumerate(names) if len(shapes[name]) == 4), default=-1)
    return names[last_map + 1 :]


def head_params(found: Trace) -> int:
    """Number of weights behind the last map."""
    head = set(behind_maps(found.shapes))
    return sum(node.params for node in found.nodes if node.path in head)


def has_head(model: nn.Module) -> bool:
    """Whether the fully-connected layers are there, so that the model can classify."""
    return not any(isinstance(module, NoWeights) for module in model.modules())


def class_maps(found: Trace, num_classes: int) -> tuple[str, ...]:
    """The layers whose channels are the classes; none where the last weights make no maps.

    They are the last layer with weights and what only pools or bounds its values, as in NiN.
    """
    names = list(found.shapes)
    weighted = [
        i
        for i, name in enumerate(names)
        if isinstance(found.outline.get_submodule(name), nn.Conv2d | nn.Linear)
    ]
    last = weighted[-1] if weighted else len(names)
    shapes = [(name, found.shapes[name]) for name in names[last:]]
    return tuple(name for name, shape in shapes if len(shape) == 4 and shape[1] == num_classes)


@dataclass(frozen=True)
class ChannelStatistics:
    """Per channel of one picture's maps: mean, standard deviation and share of zeros."""

    mean: Tensor
    std: Tensor
    zeros: Tensor


def channel_statistics(maps: Tensor) -> ChannelStatistics:
    """Summarize each channel over its pixels.

    Shape: (C, H, W) -> three tensors (C,).
    """
    values = maps.flatten(1)
    count = values.shape[1]
    mean = values.mean(1)
    # Ten times as fast as `std` and counting, which PyTorch does one value at a time.
    deviation = torch.linalg.vector_norm(values - mean[:, None], dim=1)
    return ChannelStatistics(
        mean=mean,
        std=deviation / count**0.5,
        zeros=(count - values.sign().abs_().sum(1)) / count,
    )
