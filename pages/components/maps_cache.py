"""Feature maps and the weights that make them, computed once for all visitors."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import streamlit as st
import torch
from torch import Tensor, nn

from cnnlab import layer_maps
from cnnlab.catalog import NETWORKS
from cnnlab.datasets import DATASETS
from cnnlab.features import class_maps
from cnnlab.layer_maps import LayerMaps
from cnnlab.networks.options import Options
from cnnlab.trace import Trace, trace_of
from cnnlab.training import checkpoint
from pages.components.byte_cache import ByteCache

# 30 visitors with ResNet-18 at 224 pixels fit: 7 MB each.
MAPS_BYTES = 256 * 2**20
WEIGHTS_BYTES = 384 * 2**20


@dataclass(frozen=True)
class Weights:
    """Which network, and whose weights: a run's file, or fresh ones drawn from a seed."""

    network: str
    options: Options
    image_size: int
    seed: int = 0
    path: str = ""
    dataset: str = ""

    def class_names(self, layer: str) -> tuple[str, ...]:
        """What the channels of a layer stand for, where the network learned to tell it."""
        if not self.dataset or layer not in class_maps(self.trace, self.options.num_classes):
            return ()
        names = DATASETS[self.dataset].class_names
        return names if len(names) == self.options.num_classes else ()

    @property
    def trace(self) -> Trace:
        return trace_of(NETWORKS[self.network], self.options, self.image_size)

    def load(self) -> nn.Module:
        """The network without the layers behind its last map. Raises: CnnLabError."""
        if self.path:
            return checkpoint.load(Path(self.path), head=False)[0]
        return checkpoint.fresh(self.network, self.options, self.image_size, self.seed, head=False)


@dataclass(frozen=True)
class Pass:
    """A picture on its way through a network. Shape: `batch` (1, C, H, W)."""

    weights: Weights
    batch: Tensor = field(compare=False)
    pixels: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pixels", as_bytes(self.batch).numpy().tobytes())


def as_bytes(batch: Tensor) -> Tensor:
    """The values of a picture from 0 to 255. Shape: (1, C, H, W) -> (C, H, W) of uint8."""
    return (batch[0] * 255).round().to(torch.uint8)


def maps_of(asked: Pass) -> Mapping[str, LayerMaps]:
    """The maps of every layer, in running order; those of the last passes are kept.

    Raises: CnnLabError when the pass costs too much or the weights cannot be had.
    """
    layer_maps.check_price(asked.weights.trace)
    return maps_cache().get(asked, lambda: layer_maps.look(model_of(asked.weights), asked.batch))


def model_of(weights: Weights) -> nn.Module:
    """A network with its weights; the last ones are kept.

    Without the fully-connected layers, pictures of every size pass through the same weights.
    """
    return weights_cache().get(replace(weights, image_size=0), weights.load)


@st.cache_resource(show_spinner=False)
def maps_cache() -> ByteCache[Mapping[str, LayerMaps]]:
    return ByteCache(MAPS_BYTES, layer_maps.nbytes)


@st.cache_resource(show_spinner=False)
def weights_cache() -> ByteCache[nn.Module]:
    return ByteCache(WEIGHTS_BYTES, weight_bytes)


def weight_bytes(model: nn.Module) -> int:
    """Memory of a network. Units: bytes."""
    return sum(t.numel() * t.element_size() for t in (*model.parameters(), *model.buffers()))
