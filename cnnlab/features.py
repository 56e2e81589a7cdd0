"""Feature maps: what each layer makes of a picture."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from cnnlab import catalog
from cnnlab.errors import ConfigError
from cnnlab.tracing import private_copy, watching


def extract(
    model: nn.Module, batch: Tensor, layers: Collection[str] | None = None
) -> dict[str, Tensor]:
    """The output maps of the layers and blocks of `model` for a batch of pictures.

    Shape: `batch` (N, C, H, W) -> {name: (N, channels, height, width)}, in running order.
    Raises: ConfigError when the picture does not fit or a layer name is unknown.
    """
    if batch.dim() != 4 and (reason := catalog.misfit(model, tuple(batch.shape))):
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
    maps: dict[str, Tensor] = {}

    def keep(name: str, _module: nn.Module, _x: Tensor, y: Tensor) -> None:
        if y.dim() == 4:
            maps[name] = y

    with torch.no_grad(), watching(modules.items(), keep):
        try:
            watched(batch)
        except RuntimeError:
            if reason := catalog.misfit(model, tuple(batch.shape)):
                raise ConfigError(reason) from None
            raise
    return maps


def makes_maps(module: nn.Module) -> bool:
    """Whether a module adds something to look at; a Sequential repeats its last layer."""
    return not isinstance(module, nn.Sequential | nn.Identity)


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
    return ChannelStatistics(
        mean=values.mean(1),
        std=values.std(1, correction=0),
        zeros=(values == 0).float().mean(1),
    )


def to_grey(maps: Tensor) -> npt.NDArray[np.uint8]:
    """Stretch each channel to the full range from black to white; a constant one is mid-grey.

    Shape: (C, H, W) -> array (C, H, W) of uint8.
    """
    values = torch.nan_to_num(maps.float()).cpu()
    low, high = values.amin((1, 2), keepdim=True), values.amax((1, 2), keepdim=True)
    if not torch.isfinite(high - low).all():
        # Doubles hold the difference of any two floats, and take twice as long.
        values, low, high = values.double(), low.double(), high.double()
    stretched = torch.where(high > low, (values - low) / (high - low), 0.5)
    array: npt.NDArray[np.uint8] = (stretched * 255).round().to(torch.uint8).numpy()
    return array


def mosaic(
    maps: Tensor, columns: int, tile: int, gap: int = 2, background: int = 128
) -> npt.NDArray[np.uint8]:
    """All channels as one picture, row by row, each enlarged or shrunk to `tile` pixels.

    Shape: (C, H, W) -> array (height, width) of uint8.
    Units: `tile` and `gap` in pixels.
    """
    grey = torch.from_numpy(to_grey(maps))[:, None]
    size = (tile, tile)
    if maps.shape[-1] <= tile:
        tiles = nn.functional.interpolate(grey, size=size, mode="nearest")
    else:
        tiles = nn.functional.interpolate(grey.float(), size=size, mode="area").round()
    rows = -(-len(tiles) // columns)
    shape = (rows * (tile + gap) - gap, columns * (tile + gap) - gap)
    picture = torch.full(shape, background, dtype=torch.uint8)
    for i, channel in enumerate(tiles[:, 0].to(torch.uint8)):
        top, left = (i // columns) * (tile + gap), (i % columns) * (tile + gap)
        picture[top : top + tile, left : left + tile] = channel
    array: npt.NDArray[np.uint8] = picture.numpy()
    return array
