"""Records of a store: a run, and the points of its curve."""

import json
import math
import os
import platform
import secrets
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import torch

from cnnlab.errors import ConfigError, TrainingError
from cnnlab.training.config import RunConfig
from cnnlab.training.events import Cancelled, Failed, Finished, Started

ACTIVE = ("queued", "running")
STATUSES = (*ACTIVE, "finished", "failed", "cancelled", "interrupted")
LONGEST_NAME = 80
# A run with the name of its group, for `record`.
SELECT = (
    "SELECT runs.*, runs.rowid AS number, groups.name AS group_name "
    "FROM runs LEFT JOIN groups ON groups.id = group_id"
)


@dataclass(frozen=True)
class RunRecord:
    """A run as the store knows it; `group_id` and `group_name` where it is one of a group.

    `number` grows from run to run: a clock that was set back changes no order.
    `figures` are those of its ending: step, epoch, elapsed_s, losses, accuracies, images_per_s.
    Units: `queued_s`, `started_s`, `ended_s` seconds since 1970.
    """

    id: str
    visitor: str
    page: str
    name: str
    network: str
    dataset: str
    config: RunConfig
    environment: dict[str, Any]
    status: str
    message: str
    figures: dict[str, Any]
    weights: str | None
    pinned: bool
    token: str | None
    queued_s: float
    started_s: float | None
    ended_s: float | None
    number: int
    group_id: str | None = None
    group_name: str | None = None


@dataclass
class Curve:
    """A run's points by column. Units: `seconds` since the start."""

    steps: list[int] = field(default_factory=list)
    epochs: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_steps: list[int] = field(default_factory=list)
    test_epochs: list[float] = field(default_factory=list)
    test_seconds: list[float] = field(default_factory=list)
    test_loss: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    images_per_s: float | None = None
    eta_s: float | None = None


def record(row: sqlite3.Row) -> RunRecord | None:
    """A row as a run; None where its configuration cannot be read any more."""
    fields = {field.name: row[field.name] for field in dataclass_fields(RunRecord)}
    try:
        fields["config"] = _config(row["config"])
        fields["environment"] = _mapping(row["environment"])
        fields["figures"] = _figures(row["figures"])
        _check_listed(fields)
    except (ConfigError, TypeError, ValueError, RecursionError):
        # Written by another version of the program, which had other knobs.
        return None
    fields["pinned"] = bool(row["pinned"])
    return RunRecord(**fields)


def insert(
    db: sqlite3.Connection,
    owner: str,
    config: RunConfig,
    visitor: str,
    page: str,
    name: str,
    group: str | None = None,
) -> str:
    """Note a new run as queued at the server `owner`; returns its name in the store."""
    fields = {
        "id": secrets.token_hex(8),
        "visitor": visitor,
        "page": page,
        "name": name,
        "network": config.network,
        "dataset": config.dataset,
        "config": config.model_dump_json(),
        "owner": owner,
        "status": "queued",
        "queued_s": time.time(),
        "group_id": group,
    }
    values = ", ".join(f":{column}" for column in fields)
    db.execute(f"INSERT INTO runs ({', '.join(fields)}) VALUES ({values})", fields)
    return str(fields["id"])


def checked_name(name: str) -> str:
    """A name without blanks around it. Raises: TrainingError for an empty or overlong one."""
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise TrainingError(f"A name has 1 to {LONGEST_NAME} characters; {len(name)} were given.")
    return name


def _mapping(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError(text[:LONGEST_NAME])
    return found


def _figures(text: str) -> dict[str, Any]:
    """What a page computes with: nothing that is a text."""
    return {name: value for name, value in _mapping(text).items() if not isinstance(value, str)}


def _check_listed(fields: Mapping[str, Any]) -> None:
    """Raises: ValueError for a run that no page could list."""
    config: RunConfig = fields["config"]
    if (fields["network"], fields["dataset"]) != (config.network, config.dataset):
        raise ValueError("the columns are not those of the configuration")
    if fields["status"] not in STATUSES:
        raise ValueError(f"there is no status {fields['status']!r}")


@lru_cache(maxsize=1024)
def _config(text: str) -> RunConfig:
    """Checking a configuration costs milliseconds, and every tick of a page reads several."""
    return RunConfig.from_json(text)


def curve(points: list[sqlite3.Row], tests: list[sqlite3.Row]) -> Curve:
    """Rows as columns."""
    found = Curve()
    if points:
        columns = _columns(points)
        found.steps, found.epochs, found.seconds = columns[:3]
        found.train_loss, found.train_accuracy = columns[3:5]
        found.images_per_s, found.eta_s = points[-1][5:]
    if tests:
        columns = _columns(tests)
        found.test_steps, found.test_epochs, found.test_seconds = columns[:3]
        found.test_loss, found.test_accuracy = columns[3:]
    return found


def _columns(rows: list[sqlite3.Row]) -> list[list[Any]]:
    """SQLite keeps what is not a number as nothing; a chart needs the number back."""
    return [
        [math.nan if value is None else value for value in column] if None in column else [*column]
        for column in zip(*rows, strict=True)
    ]


def figures(event: Finished | Cancelled | Failed) -> dict[str, Any]:
    """The numbers of an ending."""
    return event.model_dump(exclude={"type", "weights", "note", "message"})


def environment(started: Started) -> dict[str, Any]:
    """What a run ran on, so that its figures can be understood later."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": version("torchvision"),
        "cores": os.cpu_count(),
        **started.model_dump(exclude={"type"}),
    }
