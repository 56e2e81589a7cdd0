"""Names that runs get by themselves: the network, and what sets a run apart from its preset."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from cnnlab.catalog import NETWORKS, NetworkSpec
from cnnlab.runs.comparison import flatten
from cnnlab.runs.phrases import FIRST, TALKED_ABOUT, phrase
from cnnlab.training.config import RunConfig
from cnnlab.words import inside, words

# Lists of runs have room for about this many characters.
LONGEST = 60
# Not told in a name: where a run was computed changes what it costs, not what it is.
UNTOLD = ("network", "device", "precision", "evaluate", "budget_s")


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
    recipe = vars(spec.recipe(preset))
    return flatten(RunConfig(network=spec.name, options=preset, **recipe))
