"""Outcome of one run of an experiment: its curve, its last figures, and what was observed in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cnnlab.runs import records
from cnnlab.runs.records import Curve, RunRecord
from cnnlab.training.config import RunConfig
from cnnlab.training.events import ENDINGS, Evaluation, Event, Failed, Measurement, Progress


@dataclass(frozen=True)
class Outcome:
    """What a run came to; `figures` are those of its ending, empty where it failed."""

    config: RunConfig
    curve: Curve
    status: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    measurements: tuple[Measurement, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether the run came to an end by itself: a stopped one says nothing."""
        return self.status in ("finished", "failed")

    @property
    def failed(self) -> bool:
        """Whether the loss ran away, or the run could not go on for another reason."""
        return self.status == "failed"


def of_record(run: RunRecord, curve: Curve, measurements: Iterable[Measurement] = ()) -> Outcome:
    """The outcome of a run as the store knows it, so far or to its end."""
    return Outcome(run.config, curve, run.status, run.figures, tuple(measurements))


def gather(config: RunConfig, events: Iterable[Event]) -> Outcome:
    """The outcome of a run from its events, to the last one."""
    curve, measured, ending = Curve(), [], None
    for event in events:
        if isinstance(event, Progress):
            curve.steps.append(event.step)
            curve.epochs.append(event.epoch)
            curve.seconds.append(event.elapsed_s)
            curve.train_loss.append(event.train_loss)
            curve.train_accuracy.append(event.train_accuracy)
        elif isinstance(event, Evaluation):
            curve.test_steps.append(event.step)
            curve.test_epochs.append(event.epoch)
            curve.test_seconds.append(event.elapsed_s)
            curve.test_loss.append(event.test_loss)
            curve.test_accuracy.append(event.test_accuracy)
        elif isinstance(event, Measurement):
            measured.append(event)
        elif isinstance(event, ENDINGS):
            ending = event
    if ending is None:
        return Outcome(config, curve, "interrupted", {}, tuple(measured))
    figures = {} if isinstance(ending, Failed) else records.figures(ending)
    return Outcome(config, curve, ending.type, figures, tuple(measured))
