"""What an experiment is: a question, a claim, arms that differ in named settings, a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from cnnlab.exercises import Arm
from cnnlab.experiments.ladder import Ladder
from cnnlab.experiments.metrics import Metric
from cnnlab.experiments.outcome import Outcome
from cnnlab.experiments.verdict import Figures, Rule, Verdict
from cnnlab.runs.comparison import flatten
from cnnlab.summary import layers
from cnnlab.trace import trace_of
from cnnlab.training import RunConfig
from cnnlab.training.observing import observed
from cnnlab.training.probes import Probe
from cnnlab.words import words

SEEDS = (0, 1, 2)
# What a chart is drawn against.
Axis = Literal["epoch", "steps", "seconds"]


@dataclass(frozen=True)
class Experiment:
    """A claim of the chapter that a reader predicts, runs over seeds, and sees judged.

    The arms differ from the first one in the settings that `differs` names and in nothing else.
    `metric` and `rule` give the verdict, `also` further figures beside it. `why` and `contested`
    are read after the verdict. The curves are drawn against epochs or `axis`, arms that form a
    `ladder` also along it. `run` holds what no page offers for a single run: a time after which
    every arm is stopped. What `probes` observe is for the metrics; what `shown` observes is for the
    reader, in those arms that have it.
    """

    id: str
    section: str
    question: str
    claim: str
    source: str
    arms: tuple[Arm, ...]
    differs: tuple[str, ...]
    metric: Metric
    rule: Rule
    why: str
    contested: str = ""
    also: tuple[Metric, ...] = ()
    probes: tuple[Probe, ...] = ()
    shown: tuple[Probe, ...] = ()
    axis: Axis = "epoch"
    ladder: Ladder | None = None
    run: Mapping[str, Any] = field(default_factory=dict)

    def config(self, arm: Arm, seed: int = 0, dataset: str | None = None) -> RunConfig:
        """The run of an arm."""
        changes: dict[str, Any] = {} if dataset is None else {"dataset": dataset}
        found = arm.config(seed=seed, **changes).replace(probes=self.probes, **self.run)
        return observed(found, self.shown) if self.shown else found

    def configs(self, seeds: Sequence[int] = SEEDS, dataset: str | None = None) -> list[RunConfig]:
        """The runs: all arms with the first seed, then all with the next."""
        return [self.config(arm, seed, dataset) for seed in seeds for arm in self.arms]

    def arm_of(self, config: RunConfig) -> Arm | None:
        """Which arm a run belongs to; None where the experiment has changed since."""
        wanted = _settings(config)
        return next((arm for arm in self.arms if self._known[arm.name] == wanted), None)

    @cached_property
    def _known(self) -> Mapping[str, Mapping[str, object]]:
        """What makes each arm: asked for every run of an experiment at every tick of its card."""
        return {arm.name: _settings(self.config(arm)) for arm in self.arms}

    def by_arm(self, outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
        """The outcomes of each arm, those that have not ended included."""
        found: dict[str, list[Outcome]] = {arm.name: [] for arm in self.arms}
        for outcome in outcomes:
            if arm := self.arm_of(outcome.config):
                found[arm.name].append(outcome)
        return found

    def figures(self, outcomes: Sequence[Outcome], metric: Metric | None = None) -> Figures:
        """The figures of every arm for the seeds with which all arms came to an end."""
        metric = metric or self.metric
        found: dict[int, dict[str, Outcome]] = {}
        for name, own in self.by_arm(outcomes).items():
            for outcome in filter(lambda one: one.counts, own):
                found.setdefault(outcome.config.seed, {})[name] = outcome
        whole = [found[seed] for seed in sorted(found) if len(found[seed]) == len(self.arms)]
        return {arm.name: [metric.read(one[arm.name]) for one in whole] for arm in self.arms}

    def judge(self, outcomes: Sequence[Outcome]) -> Verdict | None:
        """What the runs say; None as long as there is no seed with which all arms have ended."""
        figures = self.figures(outcomes)
        if not figures[self.arms[0].name]:
            return None
        verdict = self.rule.judge(self.metric, figures)
        if broken := self.diverged(outcomes):
            verdict = replace(verdict, sentence=f"{verdict.sentence} {broken}")
        return verdict

    def diverged(self, outcomes: Sequence[Outcome]) -> str:
        """A sentence on the runs that could not go on; nothing where there are none."""
        ended = {
            name: [one.failed for one in own if one.counts]
            for name, own in self.by_arm(outcomes).items()
        }
        told = [
            f"{name} with {sum(failed)} of {len(failed)} seeds"
            for name, failed in ended.items()
            if any(failed)
        ]
        return f"Diverged: {', '.join(told)}." if told else ""

    def counts(self) -> list[dict[str, str]]:
        """A row for each arm: what differs, and what its network counts for one picture.

        Raises: ConfigError for an arm that cannot be built.
        """
        found, settings = [], self.settings()
        for arm in self.arms:
            config = self.config(arm)
            table = layers(trace_of(arm.configuration.spec, config.options, config.image_size))
            # Of the convolutions: a pooling before the head sees all of the picture anyway.
            sees = max(row.receptive_field for row in table.layers if row.kind == "Conv2d")
            own = settings[arm.name].items()
            differs = {said(name): said(value) for name, value in own if value is not None}
            found.append(
                {"Arm": arm.name}
                | differs
                | {
                    "Parameters": f"{table.params:,}",
                    "Multiply-accumulates": f"{table.macs:,}",
                    "Sees (pixels)": str(sees),
                }
            )
        return found

    def settings(self) -> Mapping[str, Mapping[str, object]]:
        """For every arm, what it has in the settings that differ."""
        flat = {arm.name: flatten(self.config(arm)) for arm in self.arms}
        return {name: {key: own.get(key) for key in self.differs} for name, own in flat.items()}


def said(value: object) -> str:
    """A setting's name or value as a reader says it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return words(value) if isinstance(value, str) else f"{value:,}"


def _settings(config: RunConfig) -> dict[str, object]:
    """What makes an arm: neither the seed nor where, in which format and on what it was run."""
    left_out = ("seed", "device", "precision", "dataset")
    return {name: value for name, value in flatten(config).items() if name not in left_out}
