"""What we measured: every experiment with three seeds, kept beside its definition."""

import datetime
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from cnnlab import devices
from cnnlab.atomic import replacing
from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.outcome import Outcome
from cnnlab.experiments.report import conclusion, rows

FILE = Path(__file__).with_name("measured.json")


@dataclass(frozen=True)
class Measured:
    """An experiment on one data set as it came out, where and when.

    Units: `seconds` for all runs, side by side on the machine's cores with nothing else there.
    """

    settings: str
    answer: str
    conclusion: str
    sentence: str
    rows: list[dict[str, str]]
    seconds: float
    machine: str
    date: str


def of(experiment: Experiment, dataset: str = "shapes") -> Measured | None:
    """What was measured; None where it has not been, or with other settings than now."""
    found = _all().get(experiment.id, {}).get(dataset)
    return found if found and found.settings == settings(experiment) else None


def keep(
    experiment: Experiment, dataset: str, outcomes: Sequence[Outcome], seconds: float
) -> Measured:
    """Write down what the runs came to."""
    verdict = experiment.judge(outcomes)
    assert verdict is not None, "every run has ended"
    found = Measured(
        settings=settings(experiment),
        answer=verdict.answer,
        conclusion=conclusion(experiment, verdict.answer, verdict.seeds),
        sentence=verdict.sentence,
        rows=rows(experiment, outcomes),
        seconds=round(seconds, 1),
        machine=f"{devices.usable_cores()} cores of {devices.processor()}",
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )
    known = {name: dict(by_dataset) for name, by_dataset in _all().items()}
    known.setdefault(experiment.id, {})[dataset] = found
    plain = {
        name: {on: asdict(one) for on, one in sorted(by_dataset.items())}
        for name, by_dataset in sorted(known.items())
    }
    with replacing(FILE) as partial:
        partial.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", "utf-8")
    _all.cache_clear()
    return found


def settings(experiment: Experiment) -> str:
    """A name for all that an experiment sets; presets and the code that trains are not in it."""
    said = (experiment.arms, experiment.metric, experiment.also, experiment.rule, experiment.run)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


@cache
def _all() -> dict[str, dict[str, Measured]]:
    if not FILE.exists():
        return {}
    found = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        name: {on: Measured(**one) for on, one in by_dataset.items()}
        for name, by_dataset in found.items()
    }
