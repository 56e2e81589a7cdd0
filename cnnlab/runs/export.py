"""Export of runs: CSV, JSON, TensorBoard."""

import csv
import importlib.util
import io
import json
import math
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnnlab.errors import TrainingError
from cnnlab.runs.store import Curve, RunRecord

POINT_COLUMNS = ("step", "epoch", "elapsed_s", "loss", "accuracy")
# What a spreadsheet takes for the start of a formula.
FORMULA_STARTS = ("=", "+", "-", "@")


def runs_csv(runs: Sequence[tuple[RunRecord, Curve]]) -> str:
    """The points of several runs in one table; an empty cell where there is no number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("run", "split", *POINT_COLUMNS))
    for record, curve in runs:
        name = as_cell(record.name)
        for split, columns in splits(curve).items():
            rows = zip(*columns.values(), strict=True)
            writer.writerows((name, split, *map(_finite, row)) for row in rows)
    return text.getvalue()


def as_cell(name: str) -> str:
    """A stranger's text as a spreadsheet neither computes it nor ends a row in it."""
    line = "".join(sign if sign.isprintable() else " " for sign in name).strip()
    return f"'{line}" if line.startswith(FORMULA_STARTS) else line


def run_json(record: RunRecord, curve: Curve) -> str:
    """A run as JSON: configuration, environment, outcome, points; NaN and infinity are null.

    Who made the run, and the secret under which it is shared, are left out.
    Units: times as ISO 8601 in UTC, `elapsed_s` seconds.
    """
    return _json(_plain(record, curve))


def runs_json(runs: Sequence[tuple[RunRecord, Curve]]) -> str:
    """Several runs as a JSON list."""
    return _json([_plain(record, curve) for record, curve in runs])


def splits(curve: Curve) -> dict[str, dict[str, list[Any]]]:
    """The points by split and column."""
    training = curve.steps, curve.epochs, curve.seconds, curve.train_loss, curve.train_accuracy
    test = (
        curve.test_steps,
        curve.test_epochs,
        curve.test_seconds,
        curve.test_loss,
        curve.test_accuracy,
    )
    return {
        "training": dict(zip(POINT_COLUMNS, training, strict=True)),
        "test": dict(zip(POINT_COLUMNS, test, strict=True)),
    }


def has_tensorboard() -> bool:
    """Whether TensorBoard's event files can be written here."""
    return importlib.util.find_spec("tensorboard") is not None


def runs_tensorboard(runs: Sequence[tuple[RunRecord, Curve]]) -> bytes:
    """A ZIP archive with TensorBoard's event files, one folder per run.

    Raises: TrainingError where the package `tensorboard` is not installed or the disk is full.
    """
    if not has_tensorboard():
        raise TrainingError("Event files need the package tensorboard: pip install tensorboard.")
    try:
        return _event_files(runs)
    except OSError as error:
        raise TrainingError(
            f"The event files could not be written ({error.strerror or error}). Make room in "
            f"{tempfile.gettempdir()}, or take CSV or JSON, which need none."
        ) from error


def _event_files(runs: Sequence[tuple[RunRecord, Curve]]) -> bytes:
    """The archive. Raises: OSError where the folder for passing files takes no more."""
    from torch.utils.tensorboard import SummaryWriter

    archive = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="cnnlab-") as folder:
        for record, curve in runs:
            start_s = record.started_s or record.queued_s
            with SummaryWriter(str(Path(folder) / file_name(record.name, record.id))) as writer:
                for tag, value, step, elapsed_s in _scalars(curve):
                    writer.add_scalar(tag, value, step, start_s + elapsed_s)
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for file in sorted(Path(folder).rglob("*")):
                packed.write(file, file.relative_to(folder))
    return archive.getvalue()


def file_name(name: str, key: str) -> str:
    """The name of a run or group as a file can have it, made unique by the start of its id."""
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in name)
    return "-".join([*(part for part in kept.lower().split("-") if part), key[:6]])


def _scalars(curve: Curve) -> Iterator[tuple[str, float, int, float]]:
    for split, columns in splits(curve).items():
        for name in ("loss", "accuracy"):
            points = zip(columns[name], columns["step"], columns["elapsed_s"], strict=True)
            for value, step, elapsed_s in points:
                yield f"{name}/{split}", math.nan if value is None else value, step, elapsed_s


def _plain(record: RunRecord, curve: Curve) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "group": record.group_name,
        "status": record.status,
        "message": record.message,
        "queued": _moment(record.queued_s),
        "started": _moment(record.started_s),
        "ended": _moment(record.ended_s),
        "config": record.config.model_dump(mode="json"),
        "environment": record.environment,
        "points": splits(curve),
    }


def _moment(time_s: float | None) -> str | None:
    return None if time_s is None else datetime.fromtimestamp(time_s, UTC).isoformat()


def _json(value: object) -> str:
    return json.dumps(_finite(value), indent=1, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    """The same value with None for every number that is not one."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value
