"""Entry of a network in the catalog: how it is built, checked, and trained."""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin

from cnnlab.errors import ConfigError
from cnnlab.hooks import private_copy, set_for_shapes
from cnnlab.kept import Kept
from cnnlab.networks.options import Options
from cnnlab.obstacle import obstacle, passes
from cnnlab.shape_rules import ShapesOnly

# Pixels per side of the pictures that a run, a widget or a link may ask for.
SMALLEST_IMAGE, LARGEST_IMAGE = 8, 256
# What ImageNet's pictures are cut to, for which the published networks are meant.
IMAGENET_SIZE = 224
# Twice VGG-19; the bounds of the knobs, all taken together, allow a hundred times that.
LARGEST_NETWORK = 300_000_000
# Of networks without weights that are kept: 27 as large as DenseNet-121, some 35 megabytes.
MOST_MODULES = 12_000


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: the settings that a run starts from.

    What is not among them, such as augmentation, starts as a run's configuration does.
    """

    image_size: int
    batch_size: int
    lr: float
    epochs: int
    dataset: str = "shapes"
    momentum: float = 0.0
    optimizer: str = "sgd"
    schedule: str = "constant"
    weight_decay: float = 0.0
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
    # Its modules that a diagram draws as one box each, and one of them in detail.
    blocks: tuple[type[nn.Module], ...] = ()
    # Presets that the book trains in another way than its first network of the kind.
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    # Whether three seeds end as well in bfloat16 as in float32: `benchmarks.precision`.
    bfloat16: bool = True

    def build(
        self, options: Options | None = None, device: str = "cpu", image_size: int | None = None
    ) -> nn.Module:
        """Build the network with these knobs, or the book's; `device="meta"` costs nothing.

        The size of the pictures decides how wide the first fully-connected layer is, where there
        is one; it is the one that the knobs are meant for when left out.

        Units: `image_size` pixels per side.
        Raises: ConfigError for knobs out of bounds or a picture that is too small or too large.
        """
        checked = self.checked(options or self.presets["d2l"])
        size = self.default_image_size(checked) if image_size is None else image_size
        self.check_image_size(checked, size)
        if device == "meta":
            model = private_copy(self.outline(checked, size), "meta").train()
        else:
            model = _built(self, checked, device, size)
        model.image_size = size  # type: ignore[assignment]
        return model

    def outline(self, options: Options, image_size: int) -> nn.Module:
        """The network on the meta device, not yet tried with a picture: its first pass does that.

        All who ask for it share it, so it is not to be changed; the last ones are kept.

        Units: `image_size` pixels per side.
        Raises: ConfigError for knobs out of bounds or a picture that is too large; RuntimeError
        where nothing is left of a picture inside the network.
        """
        checked = self.checked(options)
        self._check_pixels(image_size)
        key = self, checked, image_size
        return _OUTLINES.get(key, partial(_outline, self, checked, image_size))

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

    def recipe(self, preset: str) -> Recipe:
        """How a preset is trained. Raises: ConfigError naming the presets that exist."""
        self.preset(preset)
        if preset in self.recipes:
            return self.recipes[preset]
        if preset == "small":
            return self.quick
        if preset.startswith("d2l"):
            return self.book
        return replace(self.book, image_size=IMAGENET_SIZE)

    def preset_image_size(self, name: str) -> int:
        """The size of the pictures that a preset is meant for. Units: pixels per side."""
        return self.recipe(name).image_size

    def default_image_size(self, options: Options) -> int:
        """The size that these knobs are meant for: the preset's, or the book's.

        Units: pixels per side.
        """
        shape = {"in_channels": options.in_channels, "num_classes": options.num_classes}
        names = [n for n, preset in self.presets.items() if preset.replace(**shape) == options]
        return self.preset_image_size(names[0]) if names else self.book.image_size

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
        """Raises: ConfigError for a picture that is too small or too large.

        It names the layer at which nothing is left of it, and the size that works.
        """
        options = self.checked(options)
        self._check_pixels(image_size)
        if not _fits(self, options, image_size):
            raise ConfigError(self.too_small(options, image_size))

    def too_small(self, options: Options, image_size: int) -> str:
        """The sentences for a picture of which nothing is left inside the network."""
        with torch.device("meta"), ShapesOnly():
            model = self.network(options)
        found = obstacle(model, (1, options.in_channels, image_size, image_size))
        end = "nothing is left of it before the last layer"
        if found is not None:
            end = (
                f"{found.path} gets {found.got}×{found.got} pixels of it, and needs at least "
                f"{found.needs}×{found.needs}"
            )
        smallest = self.smallest_image_size(options)
        return (
            f"A picture of {image_size}×{image_size} pixels is too small for {self.title} with "
            f"these knobs: {end}. The smallest size that works is {smallest}×{smallest}."
        )

    def _check_pixels(self, image_size: int) -> None:
        if type(image_size) is not int:
            raise ConfigError(
                f"image_size: {image_size!r} was given; it has to be a whole number of pixels."
            )
        if image_size > LARGEST_IMAGE:
            raise ConfigError(too_large(self.title, image_size))

    def check_affordable(self, options: Options, image_size: int) -> None:
        """Raises: ConfigError when the weights alone would fill a computer's memory."""
        self.check_image_size(options, image_size)
        params = _parameters(self, self.checked(options), image_size)
        if params > LARGEST_NETWORK:
            raise ConfigError(
                f"This {self.title} has {params / 1e6:,.0f} million parameters; up to "
                f"{LARGEST_NETWORK / 1e6:,.0f} million can be run here. Make it narrower, or the "
                "picture smaller."
            )


def too_large(title: str, image_size: int) -> str:
    """The sentence for a picture larger than any that is used here."""
    return (
        f"A picture of {image_size}×{image_size} pixels is too large for {title}. The largest "
        f"size is {LARGEST_IMAGE}×{LARGEST_IMAGE}; resize the picture."
    )


def _built(spec: NetworkSpec, options: Options, device: str, image_size: int) -> nn.Module:
    """The network, its layers told what they are to expect of such a picture."""
    with torch.device(device), ShapesOnly():
        model = spec.network(options)
        if any(isinstance(module, LazyModuleMixin) for module in model.modules()):
            # A batch without a picture tells them.
            nothing = torch.empty(0, options.in_channels, image_size, image_size)
            with torch.no_grad():
                set_for_shapes(model)(nothing)
            model.train()
    return model


def _outline(spec: NetworkSpec, options: Options, image_size: int) -> nn.Module:
    outline = _built(spec, options, "meta", image_size)
    # Pictures of most sizes share the weights, and so the modules.
    weights = tuple(weight.shape for weight in outline.parameters())
    return _SHARED.setdefault((spec, options, weights), outline)


_OUTLINES = Kept[nn.Module](MOST_MODULES, lambda outline: sum(1 for _ in outline.modules()))
_SHARED: WeakValueDictionary[Hashable, nn.Module] = WeakValueDictionary()


@lru_cache(maxsize=512)
def _smallest_image_size(spec: NetworkSpec, options: Options) -> int:
    sizes = range(1, LARGEST_IMAGE + 1)
    # What fits a network also fits with more pixels, so the sizes are sorted: no ..., yes ...
    return sizes[bisect_left(sizes, True, key=lambda size: _fits(spec, options, size))]


@lru_cache(maxsize=512)
def _smallest_seen(spec: NetworkSpec, options: Options) -> list[int]:  # noqa: ARG001
    """The smallest size that was seen to fit, if any; larger ones need not be tried."""
    return []


def _fits(spec: NetworkSpec, options: Options, image_size: int) -> bool:
    seen = _smallest_seen(spec, options)
    if seen and image_size >= seen[0]:
        return True
    with torch.device("meta"), ShapesOnly():
        model = spec.network(options)
    fits = passes(model, (1, options.in_channels, image_size, image_size))
    if fits:
        note_fit(spec, options, image_size)
    return fits


def note_fit(spec: NetworkSpec, options: Options, image_size: int) -> None:
    """Remember that such a picture went through the network, so that it is not tried again."""
    seen = _smallest_seen(spec, options)
    seen[:] = [min([image_size, *seen])]


@lru_cache(maxsize=512)
def _parameters(spec: NetworkSpec, options: Options, image_size: int) -> int:
    return sum(weight.numel() for weight in spec.outline(options, image_size).parameters())
