"""What this visitor predicted of experiments, and what their runs came to."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnlab.experiments import SEEDS, Experiment, Outcome, Verdict
from cnnlab.experiments.outcome import of_record
from cnnlab.runs.predictions import Prediction
from cnnlab.runs.store import ACTIVE, RunRecord
from cnnlab.training.probes import Probe
from pages.components import services, state

NOT_YET, PREDICTED = "Not predicted yet", "Predicted, not run yet"
WAITING, GOING_ON = "Waiting", "Running"
RIGHT, WRONG, STOPPED = "You were right", "It came out otherwise", "Stopped before a verdict"


@dataclass(frozen=True)
class Trial:
    """An experiment as this visitor has it; nothing in it where it was not begun."""

    experiment: Experiment
    prediction: Prediction | None
    runs: tuple[RunRecord, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether some of its runs wait or go on."""
        return any(run.status in ACTIVE for run in self.runs)

    @property
    def dataset(self) -> str:
        """On which pictures it was run; nothing where it was not."""
        return self.runs[0].config.dataset if self.runs else ""

    @property
    def begun(self) -> dict[str, RunRecord]:
        """Those of its runs that do not wait, by arm and seed."""
        return {
            f"{arm.name}, seed {run.config.seed}": run
            for run in self.runs
            if run.status != "queued" and (arm := self.experiment.arm_of(run.config))
        }

    def outcomes(self) -> list[Outcome]:
        """What its runs came to, so far."""
        return [outcome(run, self.experiment.probes) for run in self.runs]

    def verdict(self) -> Verdict | None:
        """What the runs say; None where no seed has ended with all arms."""
        return self.experiment.judge(self.outcomes()) if self.runs else None


def trial(experiment: Experiment) -> Trial:
    """The experiment as this visitor has it now."""
    prediction = services.store().predictions.of(state.visitor()).get(experiment.id)
    return _trial(experiment, prediction)


def _trial(experiment: Experiment, prediction: Prediction | None) -> Trial:
    group = prediction.group_id if prediction else None
    runs = services.store().groups.runs(group) if group else []
    # A run of an older version of the experiment says nothing about this one.
    own = [run for run in runs if experiment.arm_of(run.config)]
    return Trial(experiment, prediction, tuple(own))


def outcome(run: RunRecord, probes: Sequence[Probe]) -> Outcome:
    """What a run came to; of one that has ended it is read once."""
    if run.status in ACTIVE:
        return of_record(run, services.curve(run))
    measured = [one for probe in probes for one in services.measurements(run, probe.kind)]
    return of_record(run, services.curve(run), measured)


def states(experiments: Sequence[Experiment]) -> dict[str, str]:
    """How each of these experiments stands with the visitor, in a few words."""
    predictions = services.store().predictions.of(state.visitor())
    return {one.id: said(_trial(one, predictions.get(one.id))) for one in experiments}


def said(found: Trial) -> str:
    """How an experiment stands, in a few words."""
    if found.prediction is None:
        return NOT_YET
    if not found.runs:
        return PREDICTED
    if found.is_active:
        return GOING_ON if found.begun else WAITING
    verdict = found.verdict()
    if verdict is None:
        return STOPPED
    return RIGHT if verdict.answer == found.prediction.answer else WRONG


def start(experiment: Experiment, dataset: str) -> None:
    """Submit all runs as one group, and note that they are this experiment's.

    Raises: CnnLabError where that cannot be done, or nothing was predicted.
    """
    manager, visitor = services.run_manager(), state.visitor()
    group = manager.submit_group(
        experiment.configs(SEEDS, dataset), visitor, experiment.section, experiment.question[:80]
    )
    services.store().predictions.begun(visitor, experiment.id, group)
