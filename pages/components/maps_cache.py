"""Feature maps and the weights that make them, computed once for all visitors."""

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import streamlit as st
import torch
from torch import Tensor, nn

from cnnlab import budget, checkpoints, features, layer_maps, pass_price
from cnnlab.catalog import NETWORKS
from cnnlab.checkpoints import imagenet
from cnnlab.checkpoints.shipped import FOLDER
from cnnlab.datasets import DATASETS
from cnnlab.errors import WeightsError
from cnnlab.layer_maps import LayerMaps, Layers, Seen
from cnnlab.networks.options import Options
from cnnlab.trace import Trace, trace_of
from cnnlab.training import checkpoint
from pages.components.byte_cache import ByteCache
from pages.components.turns import LONGEST, own_turn

# 40 visitors with ResNet-18 at 224 pixels fit: 4 MB each.
MAPS_BYTES = 192 * 2**20
# Large layers, of which a reader looks at few.
LARGE_BYTES = 64 * 2**20
WEIGHTS_BYTES = 384 * 2**20
# What was made ready for the browser: half a megabyte for the largest mosaics.
DRAWN_BYTES = 64 * 2**20
# What the layers that only classify may have of weights; VGG's have 119 million, and no map.
MOST_HEAD_PARAMS = 10_000_000
# AlexNet's, whose ImageNet classes are worth it.
MOST_HEAD_PARAMS_OF_FILES = 60_000_000


@dataclass(frozen=True)
class Weights:
    """Which network, and whose weights: those in a file, or fresh ones drawn from a seed.

    `published` is the preset whose ImageNet weights the file holds.
    """

    network: str
    options: Options
    image_size: int
    seed: int = 0
    path: str = ""
    dataset: str = ""
    published: str = ""

    def class_names(self, layer: str) -> tuple[str, ...]:
        """What the channels of a layer stand for, where the network learned to tell it."""
        if layer not in features.class_maps(self.trace, self.options.num_classes):
            return ()
        return self.classes

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes that the network learned to tell; none for fresh weights."""
        names = DATASETS[self.dataset].class_names if self.dataset else ()
        if self.published:
            names = imagenet.published(self.network, self.published).class_names
        return names if len(names) == self.options.num_classes else ()

    @property
    def trace(self) -> Trace:
        return trace_of(NETWORKS[self.network], self.options, self.image_size)

    @property
    def has_head(self) -> bool:
        """Whether the layers behind the last map are small enough to be loaded too."""
        most = MOST_HEAD_PARAMS_OF_FILES if self.published else MOST_HEAD_PARAMS
        return features.head_params(self.trace) <= most

    @property
    def params(self) -> int:
        """The weights that are loaded."""
        every = sum(node.params for node in self.trace.nodes)
        return every if self.has_head else every - features.head_params(self.trace)

    @property
    def as_shared(self) -> "Weights":
        """The same weights for pictures of every size that can pass through them.

        A fully-connected layer behind maps of several pixels is made for one size.
        """
        last_map = [shape for shape in self.trace.shapes.values() if len(shape) == 4][-1:]
        for_any_size = all(shape[2:] == (1, 1) for shape in last_map)
        return replace(self, image_size=0) if for_any_size or not self.has_head else self

    def load(self) -> nn.Module:
        """The network, without the layers behind its last map where they are too large.

        Raises: CnnLabError.
        """
        if self.published:
            found = imagenet.published(self.network, self.published)
            return imagenet.load(found, head=self.has_head)
        if self.path:
            path = Path(self.path)
            read = checkpoints.load if path.parent == FOLDER else checkpoint.load
            model, config = read(path, head=self.has_head)
            if (config.network, config.options) != (self.network, self.options):
                raise WeightsError(
                    f"The weights in {path.name} are of another network than their run. Train the "
                    "network again to get new ones."
                )
            return model
        return checkpoint.fresh(
            self.network, self.options, self.image_size, self.seed, head=self.has_head, shared=True
        )


@dataclass(frozen=True)
class Pass:
    """A picture on its way through a network. Shape: `batch` (1, C, H, W)."""

    weights: Weights
    batch: Tensor = field(compare=False)
    # Whose weights they are, in words; what is computed does not depend on it.
    title: str = field(default="", compare=False)
    digest: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pixels = as_bytes(self.batch).numpy().tobytes()
        object.__setattr__(self, "digest", hashlib.blake2b(pixels, digest_size=16).digest())

    @property
    def key(self) -> Hashable:
        """What it is known by where it is kept; the picture itself would stay with it."""
        return self.weights, tuple(self.batch.shape), self.digest


def as_bytes(batch: Tensor) -> Tensor:
    """The values of a picture from 0 to 255. Shape: (1, C, H, W) -> (C, H, W) of uint8."""
    return (batch[0] * 255).round().to(torch.uint8)


def seen_of(asked: Pass) -> Seen:
    """The maps of every layer and the logits; those of the last passes are kept.

    Raises: CnnLabError when the pass costs too much or the weights cannot be had.
    """
    found = asked.weights.trace
    pass_price.check_price(found)
    # The model is not kept with what it made: the cache of weights alone keeps models.
    again = partial(large_maps, asked)
    return maps_cache().get(
        asked.key,
        lambda: layer_maps.look(model_of(asked.weights), asked.batch, again),
        pass_price.expected_s(found),
    )


def maps_of(asked: Pass) -> Layers:
    """The maps of every layer, in running order. Raises: CnnLabError as `seen_of` does.

    So may looking at a layer that is too large to be kept with the others.
    """
    return seen_of(asked).maps


def large_maps(asked: Pass, layer: str) -> LayerMaps:
    """The maps of a large layer, made by a pass of their own; the last ones are kept.

    Raises: CnnLabError as `seen_of` does.
    """
    return large_cache().get(
        (asked.key, layer),
        lambda: layer_maps.layer_again(model_of(asked.weights), asked.batch, layer),
        pass_price.expected_s(asked.weights.trace, layer),
    )


def model_of(weights: Weights) -> nn.Module:
    """A network with its weights; the last ones are kept. Raises: CnnLabError."""
    budget.check_pass(weights.trace, weights.params)
    return weights_cache().get(weights.as_shared, lambda: laid_out(weights.load()))


def laid_out(model: nn.Module) -> nn.Module:
    """The weights channel by channel at each pixel, with which small pictures take half as long."""
    return model.to(memory_format=torch.channels_last)


@st.cache_resource(show_spinner=False)
def maps_cache() -> ByteCache[Seen]:
    return ByteCache(MAPS_BYTES, lambda seen: seen.nbytes, own_turn, at_once=2)


@st.cache_resource(show_spinner=False)
def large_cache() -> ByteCache[LayerMaps]:
    return ByteCache(LARGE_BYTES, lambda maps: maps.nbytes, own_turn)


@st.cache_resource(show_spinner=False)
def weights_cache() -> ByteCache[nn.Module]:
    return ByteCache(WEIGHTS_BYTES, weight_bytes, own_turn)


def drawn(key: Hashable, make: Callable[[], bytes]) -> bytes:
    """What a component is drawn from; the last of them are kept, for they are sent again."""
    return drawn_cache().get(key, make)


@st.cache_resource(show_spinner=False)
def drawn_cache() -> ByteCache[bytes]:
    # Whoever makes one may have to wait for a pass first, which holds up nobody else.
    return ByteCache(DRAWN_BYTES, len, at_once=LONGEST)


def weight_bytes(model: nn.Module) -> int:
    """Memory of a network. Units: bytes."""
    return sum(t.numel() * t.element_size() for t in (*model.parameters(), *model.buffers()))
