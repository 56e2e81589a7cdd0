"""What sets runs apart: the fields in which their configurations differ."""

from collections.abc import Sequence
from typing import Any

from cnnlab.training.config import RunConfig


def differences(configs: Sequence[RunConfig]) -> list[dict[str, Any]]:
    """For each run, the fields that are not the same in all of them, by their short name."""
    flat = [flatten(config) for config in configs]
    names = list(dict.fromkeys(name for fields in flat for name in fields))
    varying = [name for name in names if len({str(fields.get(name)) for fields in flat}) > 1]
    return [{name: fields[name] for name in varying if name in fields} for fields in flat]


def flatten(config: RunConfig) -> dict[str, Any]:
    """All fields of a run on one level; the network's knobs and the augmentation included."""
    # What is observed of a run changes nothing in it.
    fields = config.model_dump(exclude={"probes"})
    nested = {**fields.pop("augment"), **fields.pop("options")}
    # The data decide these; the run's own fields already say so.
    for name in ("in_channels", "num_classes"):
        nested.pop(name, None)
    return {**fields, **nested}
