"""The weights that make a channel: its kernels, or what normalizes it."""

import math

import streamlit as st
from torch import Tensor, nn

from cnnlab import layer_maps, mosaic
from cnnlab.colour_maps import colour_range
from cnnlab.networks.batch_norm import NormLayer
from pages.components.colour_bar import number
from pages.components.maps_cache import Pass, model_of

PICTURE_PX = 256
# PyTorch's names and those of the class that is written out.
NORM_NUMBERS = {
    "weight": "γ",
    "gamma": "γ",
    "bias": "β",
    "beta": "β",
    "running_mean": "running mean",
    "running_var": "running variance",
}
# Beyond this they are too small to be seen; the largest are shown.
MOST_KERNELS = 64


def show(asked: Pass, layer: str, channel: int) -> None:
    """The kernels of a convolution, the weights of a fully-connected layer, or γ and β."""
    module = model_of(asked.weights).get_submodule(layer)
    if isinstance(module, nn.Conv2d):
        height, width = module.kernel_size
        weights = module.weight[channel].detach()
        several = f", one for each of the {len(weights)} channels that it reads"
        title = f"Its kernel: {height}×{width}{several if len(weights) > 1 else ''}"
        kernels(weights, title, bias_of(module, channel))
    elif isinstance(module, nn.Linear):
        weights = module.weight[channel].detach()[:, None, None]
        kernels(weights, f"Its {len(weights):,} weights", bias_of(module, channel))
    elif isinstance(module, NormLayer):
        st.caption(normalization(module, channel))


def bias_of(module: nn.Conv2d | nn.Linear, channel: int) -> str:
    """The bias, as the end of a sentence."""
    return "" if module.bias is None else f"; bias {number(float(module.bias.detach()[channel]))}"


def kernels(weights: Tensor, title: str, ending: str) -> None:
    """Kernels about zero, the largest of them where there are many. Shape: (C, height, width)."""
    count = len(weights)
    if count > MOST_KERNELS and weights[0].numel() > 1:
        largest = weights.flatten(1).norm(dim=1).topk(MOST_KERNELS).indices.sort().values
        weights, ending = weights[largest], f"; the {MOST_KERNELS} largest are shown{ending}"
    kept = layer_maps.keep(weights)
    reach = float(max(-kept.low.min(), kept.high.max()))
    columns = math.ceil(math.sqrt(len(weights)))
    picture = mosaic.mosaic(
        kept,
        colour_range("zero", -reach, reach),
        columns,
        tile=max(2, PICTURE_PX // columns - 1),
        gap=1,
    )
    says = f"{title}, from {number(-reach)} to {number(reach)} about zero{ending}"
    st.image(picture, width="stretch", caption=says, alt=says)


def normalization(module: nn.Module, channel: int) -> str:
    """What a normalization does to a channel, as far as it has such numbers."""
    found = {
        NORM_NUMBERS[name]: getattr(module, name) for name in NORM_NUMBERS if hasattr(module, name)
    }
    parts = [
        f"{title} {number(float(values.detach().flatten()[channel]))}"
        for title, values in found.items()
        if isinstance(values, Tensor) and values.numel() > channel
    ]
    return " · ".join(parts) or "It has no weights of its own."
