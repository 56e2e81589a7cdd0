"""Names of runs, and the phrases in which their settings are told apart."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache, partial
from typing import Any

from cnnlab.catalog import NETWORKS, NetworkSpec
from cnnlab.datasets import DATASETS
from cnnlab.runs.comparison import differences, flatten
from cnnlab.runs.records import RunRecord
from cnnlab.training.config import RunConfig
from cnnlab.words import inside, title, words

# Lists of runs have room for about this many characters.
LONGEST = 60
# Not told in a name: where a run was computed changes what it costs, not what it is.
UNTOLD = ("network", "device", "precision", "evaluate", "budget_s")
# Knobs that most of the chapter is about; said wherever a network's presets disagree on them.
TALKED_ABOUT = ("activation", "batch_norm")
# Settings that are told before the others.
FIRST = ("dataset", "optimizer", "lr", "batch_size")
# Settings whose value and name make another phrase than "name value".
FORMS = {
    "epochs": "{} epochs",
    "image_size": "{} px",
    "train_size": "{} pictures",
    "pooling": "{} pooling",
    "schedule": "{} rate",
    "init": "{} weights",
    "stem": "{} stem",
    "variant": "{} variant",
    "budget_s": "{} s at most",
}
NOTHING = {"train_size": "all pictures", "budget_s": "no time limit"}
# Values that say by themselves what they are of.
ALONE = ("activation", "optimizer", "device", "precision")


def run_name(config: RunConfig) -> str:
    """The network, the preset and what differs from it: "LeNet, small, sigmoid, no batch norm".

    At most `LONGEST` characters; what finds no room is counted.
    """
    spec = NETWORKS[config.network]
    found = {preset: telling(config, spec, preset) for preset in spec.presets}
    knobs = type(config.options).model_fields
    # A preset as it stands goes before one that has more in common with the run.
    preset = min(found, key=lambda p: (any(f in knobs for f in found[p]), len(found[p])))
    names = found[preset]
    if any(field in knobs for field in names):
        names = list(dict.fromkeys([*disputed(config, spec), *names]))
    name = words(preset)
    head = name if name.startswith(spec.title) else f"{spec.title}, {inside(name)}"
    return bounded(head, [phrase(config, field) for field in names])


def bounded(head: str, phrases: Sequence[str]) -> str:
    """As many phrases as there is room for, and how many more there are."""
    for count in range(len(phrases), 0, -1):
        left = len(phrases) - count
        text = ", ".join([head, *phrases[:count]]) + (f" and {left} more" if left else "")
        if len(text) <= LONGEST:
            return text
    return head


def telling(config: RunConfig, spec: NetworkSpec, preset: str) -> list[str]:
    """The fields that are not as they are when a preset is chosen and nothing changed."""
    usual, fields = preset_settings(spec, preset), flatten(config)
    changed = [name for name, value in fields.items() if value != usual.get(name)]
    knobs = [name for name in changed if name in type(config.options).model_fields]
    settings = [name for name in changed if name not in (*knobs, *UNTOLD)]
    return knobs + sorted(settings, key=lambda name: name not in FIRST)


def disputed(config: RunConfig, spec: NetworkSpec) -> list[str]:
    """The knobs that are talked about and in which the network's presets do not agree."""
    fields = flatten(config)
    return [
        name
        for name in TALKED_ABOUT
        if name in fields and len({getattr(preset, name) for preset in spec.presets.values()}) > 1
    ]


@cache
def preset_settings(spec: NetworkSpec, preset: str) -> Mapping[str, Any]:
    """Every setting of a run that is a preset with its recipe."""
    recipe = spec.quick if preset == "small" else spec.book
    return flatten(RunConfig(network=spec.name, options=preset, **vars(recipe)))


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
    if value is None:
        return NOTHING.get(name, f"no {label}")
    text = value_text(name, value)
    if name in FORMS:
        return FORMS[name].format(text)
    return text if name in ALONE or name in TITLES else f"{label} {text}"


TITLES: Mapping[str, Mapping[str, Any]] = {"network": NETWORKS, "dataset": DATASETS}


def value_text(name: str, value: object) -> str:
    """A value as it stands inside a sentence."""
    if name in TITLES:
        return str(TITLES[name][str(value)].title)
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:g}"
    return inside(words(value))


def distinct_names(runs: Sequence[RunRecord], zone: tzinfo = UTC) -> dict[str, str]:
    """What to call each run, by its id, where several are listed: no two the same.

    Runs of one name are told apart by their seeds or, where these are the same, by their times.
    """
    names = {run.id: run.name for run in runs}
    for trait in (_seed, partial(_time, zone=zone), _id):
        namesakes: dict[str, list[RunRecord]] = {}
        for run in runs:
            namesakes.setdefault(names[run.id], []).append(run)
        for name, found in namesakes.items():
            if len({trait(run) for run in found}) > 1:
                names |= {run.id: f"{name} · {trait(run)}" for run in found}
    return names


def _seed(run: RunRecord) -> str:
    return f"seed {run.config.seed}"


def _time(run: RunRecord, zone: tzinfo) -> str:
    when = datetime.fromtimestamp(run.queued_s, zone)
    return f"{when.day} {when:%b %H:%M:%S}"


def _id(run: RunRecord) -> str:
    return run.id
