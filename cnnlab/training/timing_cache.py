"""Measured times of training steps, kept in the cache folder from one process to the next."""

import contextlib
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from cnnlab.atomic import replacing
from cnnlab.folders import cache_folder

REMEMBERED = 500
# A run that begins so long after a measurement beside other work measures anew.
BUSY_HOLD_S = 600.0


class StepTimes(BaseModel):
    """Seconds for a training step by number format and layout, of one kind of run.

    `busy` where other work on the machine may have made them longer; these hold for a while only.
    Units: `taken_s` of the wall clock.
    """

    model_config = ConfigDict(frozen=True)

    seconds: dict[str, float]
    busy: bool = False
    taken_s: float = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is time to measure again, also for a clock that was set back since."""
        return self.busy and abs(time.time() - self.taken_s) > BUSY_HOLD_S

    def beside(self, before: "StepTimes") -> "StepTimes":
        """The shorter ones of two that were both taken beside other work, which only adds."""
        shorter = {
            name: min(seconds, before.seconds.get(name, seconds))
            for name, seconds in self.seconds.items()
        }
        return self.model_copy(update={"seconds": before.seconds | shorter})


_file = TypeAdapter(dict[str, StepTimes])
# What this process has measured, for when the folder cannot be written.
_known: dict[str, StepTimes] = {}


def path() -> Path:
    """The file of the times."""
    return cache_folder() / "speeds.json"


def read() -> dict[str, StepTimes]:
    """All times that are known, by kind of run; the file's before this process's own."""
    kept: dict[str, StepTimes] = {}
    # A damaged file only costs the time to measure again.
    with contextlib.suppress(OSError, ValueError):
        kept = _file.validate_json(path().read_bytes())
    return {key: value for key, value in _known.items() if key not in kept} | kept


def keep(key: str, times: StepTimes) -> StepTimes:
    """Note times, and return those that hold from now on.

    What another process noted in the meantime stays, so that both compute in the same format;
    only times taken beside other work give way to better ones, and to shorter ones of that kind.
    """
    known = read()
    before = known.get(key)
    complete = before is not None and set(times.seconds) <= set(before.seconds)
    if before is not None and complete:
        if not before.busy:
            return before
        times = times.beside(before) if times.busy else times
    known.pop(key, None)
    known[key] = times
    newest = dict(list(known.items())[-REMEMBERED:])
    _known.clear()
    _known.update(newest)
    with contextlib.suppress(OSError):
        path().parent.mkdir(parents=True, exist_ok=True)
        with replacing(path()) as partial:
            partial.write_bytes(_file.dump_json(newest, indent=1))
    return times
