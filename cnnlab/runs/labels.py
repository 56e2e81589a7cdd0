"""Labels of runs where several are shown: no two the same, and as short as can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial

from cnnlab.runs.comparison import run_differences, varying
from cnnlab.runs.phrases import FIRST, TALKED_ABOUT, called, setting_phrase
from cnnlab.runs.records import RunRecord

MOST_WORDS = 4
# In a label, where every word counts.
SHORTER = {"lr": "rate"}


@dataclass(frozen=True)
class Label:
    """What a run is called beside others: in a legend, and where there is room."""

    short: str
    long: str


def labels(runs: Sequence[RunRecord], zone: tzinfo = UTC) -> dict[str, Label]:
    """A label for each run, by its id: by what differs, in at most four words.

    Where that leaves two runs alike, their seeds or times are added.
    """
    fields = dict(zip([run.id for run in runs], telling(runs), strict=True))
    by_id = {run.id: run for run in runs}
    short = {key: shortened(by_id[key], fields[key]) for key in fields}
    for alike in groups(short):
        # What these differ in comes first, so that it is not cut off.
        for key, apart in zip(alike, varying([fields[key] for key in alike]), strict=True):
            network = {name: fields[key][name] for name in ("network",) if name in fields[key]}
            short[key] = shortened(by_id[key], network | apart | fields[key])
    short = distinct(runs, short, zone)
    names = distinct_names(runs, zone)
    return {
        key: Label(short[key], ": ".join(filter(None, (names[key], told(by_id[key], found)))))
        for key, found in fields.items()
    }


def telling(runs: Sequence[RunRecord]) -> list[dict[str, object]]:
    """The settings in which runs differ and that all of them have, the most telling first."""
    found = run_differences(runs)
    common = [name for name in (found[0] if found else {}) if all(name in f for f in found)]
    knobs = {name for run in runs for name in type(run.config.options).model_fields}
    order = (("network", "dataset"), TALKED_ABOUT, knobs, FIRST, common)

    def rank(name: str) -> int:
        return next(place for place, names in enumerate(order) if name in names)

    return [{name: fields[name] for name in sorted(common, key=rank)} for fields in found]


def told(run: RunRecord, fields: Mapping[str, object]) -> str:
    """Everything in which a run differs, in words."""
    return ", ".join(
        setting_phrase(name, value, called(run.config, name)) for name, value in fields.items()
    )


def shortened(run: RunRecord, fields: Mapping[str, object]) -> str:
    """As many of a run's settings as fit into a label; its name where there are none."""
    kept: list[str] = []
    room = MOST_WORDS
    for name, value in fields.items():
        phrase = setting_phrase(name, value, SHORTER.get(name) or called(run.config, name))
        said = phrase.split()
        if kept and len(said) > room:
            break
        # The value stands at the end.
        kept.append(phrase if len(said) <= room else " ".join(["…", *said[1 - room :]]))
        room -= len(said)
    return ", ".join(kept) or run.name


def distinct_names(runs: Sequence[RunRecord], zone: tzinfo = UTC) -> dict[str, str]:
    """The name of each run, by its id, with its seed or its time where another has the same."""
    return distinct(runs, {run.id: run.name for run in runs}, zone)


def distinct(runs: Sequence[RunRecord], names: Mapping[str, str], zone: tzinfo) -> dict[str, str]:
    """Names by the ids of runs, made different by seeds or, where these are the same, by times."""
    names, by_id = dict(names), {run.id: run for run in runs}
    for trait in (_seed, partial(_time, zone=zone), _id):
        for alike in groups(names):
            traits = {key: trait(by_id[key]) for key in alike}
            if len(set(traits.values())) > 1:
                names |= {key: f"{names[key]} · {added}" for key, added in traits.items()}
    return names


def groups(names: Mapping[str, str]) -> list[list[str]]:
    """The keys that share a name, for each name that several share."""
    found: dict[str, list[str]] = {}
    for key, name in names.items():
        found.setdefault(name, []).append(key)
    return [keys for keys in found.values() if len(keys) > 1]


def _seed(run: RunRecord) -> str:
    return f"seed {run.config.seed}"


def _time(run: RunRecord, zone: tzinfo) -> str:
    when = datetime.fromtimestamp(run.queued_s, zone)
    return f"{when.day} {when:%b %H:%M:%S}"


def _id(run: RunRecord) -> str:
    return run.id
