"""Settings of runs in few words: "no batch norm", "learning rate 0.1", "ReLU"."""

from collections.abc import Mapping, Sequence
from typing import Any

from cnnlab.catalog import NETWORKS
from cnnlab.datasets import DATASETS
from cnnlab.runs.comparison import differences, flatten
from cnnlab.training.config import RunConfig
from cnnlab.words import inside, title, words

# Knobs that most of the chapter is about, and settings that are told before the others.
TALKED_ABOUT = ("activation", "batch_norm")
FIRST = ("dataset", "optimizer", "lr", "batch_size")
# Settings whose value and name make another phrase than "name value".
FORMS = {
    "epochs": "{} epochs",
    "image_size": "{} px",
    "train_size": "{} pictures",
    "pooling": "{} pooling",
    "schedule": "{} rate",
    "init": "{} weights",
    "join": "layers that {}",
    "shortcut": "{} skip",
    "order": "{} order",
    "pointwise_kernel_size": "inner {0}×{0}",
    "blocks": "blocks {}",
    "head": "{} head",
    "paths": "paths: {}",
    "norm": "batch norm: {}",
    "norm_place": "batch norm {}",
    "init_scale": "initial weights × {}",
    "stem": "{} stem",
    "variant": "{} variant",
    "budget_s": "{} s at most",
}
# What the form of one would get wrong.
ONE = {"epochs": "1 epoch", "train_size": "1 picture"}
NOTHING = {"train_size": "all pictures", "budget_s": "no time limit", "blocks": "blocks by depth"}
# Values that say by themselves what they are of.
ALONE = ("activation", "optimizer", "device", "precision")


TITLES: Mapping[str, Mapping[str, Any]] = {"network": NETWORKS, "dataset": DATASETS}


def phrases(configs: Sequence[RunConfig]) -> list[list[str]]:
    """For each run, what sets it apart from the others, in words; nothing where nothing does."""
    return [
        [phrase(config, name) for name in fields]
        for config, fields in zip(configs, differences(configs), strict=True)
    ]


def phrase(config: RunConfig, name: str) -> str:
    """A setting in few words: "no batch norm", "learning rate 0.1", "ReLU"."""
    return setting_phrase(name, flatten(config)[name], called(config, name))


def called(config: RunConfig, name: str) -> str:
    """What a setting of a run is called, inside a sentence."""
    models = (RunConfig, type(config.options), type(config.augment))
    return inside(next(title(m, name) for m in models if name in m.model_fields))


def setting_phrase(name: str, value: object, label: str) -> str:
    """A value with its name, where it does not say by itself what it is of."""
    if isinstance(value, bool):
        return label if value else f"no {label}"
    if value is None or value == "":
        return NOTHING.get(name, f"no {label}")
    if value == 1 and name in ONE:
        return ONE[name]
    text = value_text(name, value)
    if name in FORMS:
        return FORMS[name].format(text)
    return text if name in ALONE or name in TITLES else f"{label} {text}"


def value_text(name: str, value: object) -> str:
    """A value as it stands inside a sentence."""
    if name in TITLES:
        return str(TITLES[name][str(value)].title)
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:g}"
    return inside(words(value))
