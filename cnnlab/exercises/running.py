"""An exercise done as a reader would: its arms with several seeds, and what came out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torch import Tensor, nn

from cnnlab import features, images
from cnnlab.errors import TrainingError
from cnnlab.exercises.checks import Figures
from cnnlab.exercises.exercise import Arm, Claim, Exercise
from cnnlab.exercises.measures import Maps, Measure, OfMaps, OfRun
from cnnlab.summary import Summary, summarize
from cnnlab.training import checkpoint, train
from cnnlab.training.events import Failed, Finished

SEEDS = (0, 1, 2)
# The picture that the page begins with.
SAMPLE = images.samples()[0]


@dataclass(frozen=True)
class Result:
    """A claim, the figures that were seen, and whether they are as claimed."""

    claim: Claim
    figures: Figures

    @property
    def holds(self) -> bool:
        return self.claim.check.holds(self.figures)


def check(exercise: Exercise, seeds: Iterable[int] = SEEDS, *, short: bool = False) -> list[Result]:
    """Do an exercise with every seed, or its short form; what each of its claims comes to.

    A count in the layer table is the same with every seed.

    Raises: TrainingError for a run that stops before its end.
    """
    seeds = [0] if exercise.view == "Architecture" else list(seeds)
    changes = exercise.short or {} if short else {}
    trials = {
        arm.name: [Trial(arm, {**changes, "seed": seed}) for seed in seeds] for arm in exercise.arms
    }
    return [
        Result(
            claim,
            {
                name: [trial.figure(claim.measure) for trial in tried]
                for name, tried in trials.items()
                if name in claim.check.arms
            },
        )
        for claim in exercise.claims
        if claim.soon or not short
    ]


@dataclass
class Trial:
    """An arm with one seed; what a claim does not ask for is not computed."""

    arm: Arm
    changes: Mapping[str, Any] = field(default_factory=dict)

    def figure(self, measure: Measure) -> float:
        """What a measure reads here."""
        if isinstance(measure, OfRun):
            ended = self.trained[0]
            return measure.read(ended) if isinstance(ended, Finished) else measure.failed
        if isinstance(measure, OfMaps):
            return measure.read(*(self.trained_maps if measure.trained else self.fresh_maps))
        return measure.read(self.table)

    @cached_property
    def trained(self) -> tuple[Finished | Failed, nn.Module | None]:
        """The run's last event and the network after it."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "weights.safetensors"
            *_, end = train(self.arm.config(**self.changes), save_to=path)
            if isinstance(end, Finished):
                return end, checkpoint.load(path)[0]
        if isinstance(end, Failed):
            return end, None
        raise TrainingError(f"The run ended as {end.type!r}, before it was done.")

    @cached_property
    def trained_maps(self) -> tuple[Maps, Tensor]:
        """What the network makes of a picture after the run, and the picture."""
        end, model = self.trained
        if model is None:
            raise TrainingError(f"The run {self.arm.name!r} left no weights: {end}")
        return self.maps(model)

    @cached_property
    def fresh_maps(self) -> tuple[Maps, Tensor]:
        """The same with the weights that the seed draws."""
        shown, seed = self.arm.configuration, self.changes.get("seed", 0)
        return self.maps(checkpoint.fresh(shown.network, shown.options, shown.image_size, seed))

    def maps(self, model: nn.Module) -> tuple[Maps, Tensor]:
        """What a network makes of the sample that a reader sees first, and the sample."""
        options: Any = model.options
        sample = images.decode(SAMPLE.path.read_bytes())
        batch = images.to_batch(sample, self.arm.configuration.image_size, options.in_channels)
        return features.extract(model, batch), batch

    @cached_property
    def table(self) -> Summary:
        """The layer table for one picture."""
        shown = self.arm.configuration
        options, size = shown.options, shown.image_size
        model = shown.spec.build(options, device="meta", image_size=size)
        return summarize(model, (1, options.in_channels, size, size))
