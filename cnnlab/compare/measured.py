"""What we measured: the small networks by their quick recipes, kept beside their definition."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from statistics import fmean

from cnnlab import devices
from cnnlab.atomic import replacing
from cnnlab.training.config import RunConfig

FILE = Path(__file__).with_name("measured.json")
# What changes nothing in what a run means; a new knob, at its default, is not told either.
UNTOLD = {"seed", "device", "precision", "probes"}


@dataclass(frozen=True)
class Measured:
    """Test accuracies of a run over its seeds, and where and when that was."""

    accuracies: list[float]
    machine: str
    date: str

    @property
    def mean(self) -> float:
        return fmean(self.accuracies)


def of(config: RunConfig) -> Measured | None:
    """What was measured of such a run; None where it was not, or with other settings."""
    return _all().get(settings(config))


def keep(config: RunConfig, accuracies: Sequence[float]) -> None:
    """Write down what a run reached with its seeds."""
    found = Measured(
        accuracies=[round(one, 4) for one in accuracies],
        machine=f"{devices.usable_cores()} cores of {devices.processor()}",
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )
    known = {key: asdict(one) for key, one in sorted({**_all(), settings(config): found}.items())}
    with replacing(FILE) as partial:
        partial.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")
    _all.cache_clear()


def settings(config: RunConfig) -> str:
    """All that a run sets, as one text."""
    return json.dumps(config.model_dump(mode="json", exclude=UNTOLD, exclude_defaults=True))


@cache
def _all() -> dict[str, Measured]:
    if not FILE.exists():
        return {}
    found = json.loads(FILE.read_text(encoding="utf-8"))
    return {key: Measured(**one) for key, one in found.items()}
