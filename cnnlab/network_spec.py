"""What a network of the catalog is: how it is built, checked, and trained."""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnlab.errors import ConfigError
from cnnlab.networks.options import Options

LARGEST_IMAGE = 512
# Twice VGG-19; the bounds of the knobs, all taken together, allow a hundred times that.
LARGEST_NETWORK = 300_000_000


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: the settings that a run starts from."""

    image_size: int
    batch_size: int
    lr: float
    epochs: int
    momentum: float = 0.0
    optimizer: str = "sgd"
    init: str = "default"
    train_size: int | None = None


# Each is compared by what it is, not by what it holds, so that answers about it can be kept.
@dataclass(frozen=True, eq=False)
class NetworkSpec:
    """A network of the chapter: how it is built, named sets of knobs, how it is trained."""

    name: str
    title: str
    year: int
    paper: str
    network: Callable[[Any], nn.Module]
    options: type[Options]
    presets: Mapping[str, Options]
    book: Recipe
    quick: Recipe
    # Whether three seeds end as well in bfloat16 as in float32: `benchmarks.precision`.
    bfloat16: bool = True

    def build(self, options: Options | None = None, device: str = "cpu") -> nn.Module:
        """Build the network with these knobs, or the book's; `device="meta"` costs nothing.

        Raises: ConfigError for knobs out of bounds or a picture that is too small.
        """
        checked = self.checked(options or self.presets["d2l"])
        with torch.device(device):
            return self.network(checked)

    def checked(self, options: Options) -> Options:
        """The same knobs, within their bounds. Raises: ConfigError for those that are not."""
        # `model_copy(update=...)` does not check what it is given.
        return self.options(**dict(options))

    def preset(self, name: str) -> Options:
        """A named set of knobs. Raises: ConfigError naming those that exist."""
        if name not in self.presets:
            raise ConfigError(
                f"{self.title} has no preset {name!r}; it has {', '.join(self.presets)}."
            )
        return self.presets[name]

    @property
    def image_size_is_knob(self) -> bool:
        """Whether the first fully-connected layer depends on the size of the picture."""
        return "image_size" in self.options.model_fields

    def fitted(self, options: Options, *, image_size: int, **shape: int) -> Options:
        """The knobs with the size, channels and classes of the data at hand."""
        if self.image_size_is_knob:
            shape["image_size"] = image_size
        return options.replace(**shape)

    @property
    def source_file(self) -> Path:
        """The file that the page shows."""
        return Path(__file__).parent / "networks" / f"{self.name}.py"

    def smallest_image_size(self, options: Options) -> int:
        """The smallest square picture that passes through a network with these knobs.

        Units: pixels.
        """
        return _smallest_image_size(self, self.checked(options))

    def check_image_size(self, options: Options, image_size: int) -> None:
        """Raises: ConfigError naming the smallest size when the picture is too small."""
        options = self.checked(options)
        if self.image_size_is_knob and image_size > LARGEST_IMAGE:
            raise ConfigError(too_large(self.title, image_size))
        if not _fits(self, options, image_size):
            smallest = self.smallest_image_size(options)
            raise ConfigError(too_small(self.title, image_size, smallest))

    def check_affordable(self, options: Options) -> None:
        """Raises: ConfigError when the weights alone would fill a computer's memory."""
        params = _parameters(self, self.checked(options))
        if params > LARGEST_NETWORK:
            raise ConfigError(
                f"This {self.title} has {params / 1e6:,.0f} million parameters; up to "
                f"{LARGEST_NETWORK / 1e6:,.0f} million can be run here. Make it narrower, or the "
                "picture smaller."
            )


def too_small(title: str, image_size: int, smallest: int) -> str:
    """The sentence for a picture of which nothing is left inside the network."""
    return (
        f"A picture of {image_size}×{image_size} pixels is too small for {title} with these "
        f"knobs: nothing is left of it before the last layer. The smallest size that works is "
        f"{smallest}×{smallest}."
    )


def too_large(title: str, image_size: int) -> str:
    """The sentence for a picture beyond the bounds of the knob `image_size`."""
    return (
        f"A picture of {image_size}×{image_size} pixels is too large for {title}. The largest "
        f"size is {LARGEST_IMAGE}×{LARGEST_IMAGE}; resize the picture."
    )


@lru_cache(maxsize=512)
def _smallest_image_size(spec: NetworkSpec, options: Options) -> int:
    sizes = range(1, LARGEST_IMAGE + 1)
    # What fits a network also fits with more pixels, so the sizes are sorted: no ..., yes ...
    return sizes[bisect_left(sizes, True, key=lambda size: _fits(spec, options, size))]


@dataclass
class _Known:
    """The smallest size that has been seen to fit; larger ones need not be tried."""

    fits: float = math.inf


@lru_cache(maxsize=512)
def _known(spec: NetworkSpec, options: Options) -> _Known:  # noqa: ARG001
    return _Known()


def _fits(spec: NetworkSpec, options: Options, image_size: int) -> bool:
    sized, anyhow = options, options
    if spec.image_size_is_knob:
        sized = options.model_copy(update={"image_size": image_size})
        anyhow = options.model_copy(update={"image_size": LARGEST_IMAGE})
    known = _known(spec, anyhow)
    if image_size >= known.fits:
        return True
    try:
        model = spec.build(sized, device="meta").eval()
        model(torch.empty(1, options.in_channels, image_size, image_size, device="meta"))
    except (ConfigError, RuntimeError):
        return False
    known.fits = image_size
    return True


@lru_cache(maxsize=512)
def _parameters(spec: NetworkSpec, options: Options) -> int:
    return sum(p.numel() for p in spec.build(options, device="meta").parameters())
