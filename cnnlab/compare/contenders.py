"""Contenders: every network of the catalog in one of its presets, trained as the preset says."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from cnnlab import catalog
from cnnlab.catalog import NETWORKS, NetworkSpec
from cnnlab.configuration import SMALL
from cnnlab.training.config import RunConfig
from cnnlab.words import words

Size = Literal["small", "full"]
# Who builds it so.
Kind = Literal["small", "book", "torchvision"]
# Presets that are no other network, but the same at another width or with one thing more.
APART = {"d2l_bn": ", batch norm", "d2l_full": "-11, full width"}
# A run is the same contender's whatever it started from, and wherever it was computed.
OWN = ("seed", "device", "precision", "evaluate", "budget_s", "probes", "train_size")


@dataclass(frozen=True)
class Contender:
    """A network in one of its presets. Raises: ConfigError for one that does not exist."""

    network: str
    preset: str = SMALL

    def __post_init__(self) -> None:
        self.spec.preset(self.preset)

    @property
    def spec(self) -> NetworkSpec:
        return catalog.network(self.network)

    @property
    def id(self) -> str:
        """A name for it that survives in an address."""
        return f"{self.network}-{self.preset}"

    @property
    def kind(self) -> Kind:
        if self.preset == SMALL:
            return "small"
        return "book" if self.preset.startswith("d2l") else "torchvision"

    @property
    def is_plain(self) -> bool:
        """Whether it is the small or the book's own network of its kind, and no variant."""
        return self.preset in (SMALL, "d2l")

    @property
    def title(self) -> str:
        """What it is called among the others of its size."""
        if self.preset == "torchvision":
            return f"{self.spec.title}, torchvision's"
        return short_title(self.spec, self.preset)

    def config(self, dataset: str) -> RunConfig:
        """Its run on a data set, by the recipe of its preset.

        Raises: ConfigError for a data set that does not exist.
        """
        return _config(self, dataset)


@lru_cache(maxsize=256)
def _config(contender: Contender, dataset: str) -> RunConfig:
    """Checking a configuration costs milliseconds, and the table has many."""
    recipe = {**vars(contender.spec.recipe(contender.preset)), "dataset": dataset}
    return RunConfig(network=contender.network, options=contender.preset, **recipe)


def short_title(spec: NetworkSpec, preset: str) -> str:
    """What a preset is called, by whomever it is built: "ResNet-18", "LeNet, batch norm"."""
    title = words(preset) if preset[-1].isdigit() else spec.title
    return title + APART.get(preset, "")


def contenders(size: Size) -> list[Contender]:
    """One small network of each kind, or all that the book and torchvision build."""
    return [
        Contender(name, preset)
        for name, spec in NETWORKS.items()
        for preset in spec.presets
        if (preset == SMALL) == (size == "small")
    ]


def contender_of(config: RunConfig) -> Contender | None:
    """Whose network a run trains; None where its knobs are no preset's."""
    found: Sequence[Contender] = [*contenders("small"), *contenders("full")]
    data = {"in_channels": config.options.in_channels, "num_classes": config.options.num_classes}
    return next(
        (
            one
            for one in found
            if one.network == config.network
            and one.spec.presets[one.preset].replace(**data) == config.options
        ),
        None,
    )


def same_run(one: RunConfig, other: RunConfig) -> bool:
    """Whether two runs do the same but for their seed and where they were computed."""
    told = (name for name in RunConfig.model_fields if name not in OWN)
    return one.training_images == other.training_images and all(
        getattr(one, name) == getattr(other, name) for name in told
    )
