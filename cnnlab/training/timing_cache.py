"""Measured times of training steps, kept in the cache folder from one process to the next."""

import contextlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from cnnlab.atomic import replacing
from cnnlab.folders import cache_folder

REMEMBERED = 500


class StepTimes(BaseModel):
    """Seconds for a training step by number format and layout, of one kind of run.

    `busy` where other work on the machine may have made them longer.
    """

    model_config = ConfigDict(frozen=True)

    seconds: dict[str, float]
    busy: bool = False


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
    only times taken beside other work give way to better ones.
    """
    known = read()
    before = known.get(key)
    complete = before is not None and set(times.seconds) <= set(before.seconds)
    if before is not None and complete and (times.busy or not before.busy):
        return before
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
