"""Comparison of runs: what sets them apart, which can be compared, and what to beware of."""

from collections.abc import Mapping, Sequence
from typing import Any

from cnnlab.runs.records import RunRecord
from cnnlab.training.config import RunConfig

# Asked for as "auto", and decided where a run is computed.
USED = ("device", "precision")


def differences(configs: Sequence[RunConfig]) -> list[dict[str, Any]]:
    """For each run, the fields that are not the same in all of them, by their short name."""
    return varying([flatten(config) for config in configs])


def run_differences(runs: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """The same of runs: device and number format are those used, once all of them have begun."""
    used = [
        {name: run.environment[name] for name in USED if name in run.environment} for run in runs
    ]
    known = [name for name in USED if all(name in found for found in used)]
    return varying(
        [
            {name: value for name, value in flatten(run.config).items() if name not in USED}
            | {name: found[name] for name in known}
            for run, found in zip(runs, used, strict=True)
        ]
    )


def varying(flat: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of each mapping, the entries that are not the same in all."""
    names = list(dict.fromkeys(name for fields in flat for name in fields))
    found = [name for name in names if len({str(fields.get(name)) for fields in flat}) > 1]
    return [{name: fields[name] for name in found if name in fields} for fields in flat]


def flatten(config: RunConfig) -> dict[str, Any]:
    """All fields of a run on one level; the network's knobs and the augmentation included."""
    # What is observed of a run changes nothing in it.
    fields = config.model_dump(exclude={"probes"})
    nested = {**fields.pop("augment"), **fields.pop("options")}
    # The data decide these; the run's own fields already say so.
    for name in ("in_channels", "num_classes"):
        nested.pop(name, None)
    return {**fields, **nested}


def same_settings(one: RunConfig, other: RunConfig) -> bool:
    """Whether nothing sets two runs apart but what is observed of them."""
    # All pictures can be asked for by their number, or by none.
    return flatten(one) | {"train_size": one.training_images} == flatten(other) | {
        "train_size": other.training_images
    }


def comparable(one: RunConfig, other: RunConfig) -> bool:
    """Whether two runs are of the same network and see the same pictures."""
    return _task(one) == _task(other)


def _task(config: RunConfig) -> tuple[object, ...]:
    pictures = (config.dataset, config.training_images, config.image_size, config.augment)
    return config.network, *pictures


def cautions(runs: Sequence[RunRecord]) -> list[str]:
    """Sentences on what makes a comparison of these runs unfair; none where nothing does."""
    found = []
    formats = {str(run.environment["precision"]) for run in runs if "precision" in run.environment}
    if len(formats) > 1:
        found.append(
            f"These runs were computed in different number formats, {' and '.join(sorted(formats))}"
            ": a small difference can come from that alone."
        )
    # "AdamW" is Adam with the decay elsewhere: their rates are alike.
    if len({run.config.optimizer.startswith("adam") for run in runs}) > 1:
        found.append(
            "Adam against SGD is not a fair pair: each needs a learning rate of its own. Compare "
            "runs of one optimizer."
        )
    return found


def beside(
    run: RunRecord | None, others: Sequence[RunRecord], earlier: int, pinned: int
) -> list[RunRecord]:
    """What a run's curve is drawn with: the newest that can be compared with it, and pinned ones.

    `others` come the newest first; `earlier` and `pinned` say how many of each.
    """
    found = [other for other in others if run is None or other.id != run.id]
    kept = [other for other in found if other.pinned][:pinned]
    alike = [
        other
        for other in found
        if run and not other.pinned and comparable(run.config, other.config)
    ]
    return [*alike[:earlier], *kept]
