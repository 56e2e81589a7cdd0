"""What an experiment came to, as a table of its arms and a verdict in words."""

from collections.abc import Mapping, Sequence

from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.outcome import Outcome
from cnnlab.experiments.verdict import OPEN, capital, spread

NOTHING_YET = "No seed has ended with all arms yet."


def rows(experiment: Experiment, outcomes: Sequence[Outcome]) -> list[dict[str, str]]:
    """A row for each arm: its figures over the seeds with which all arms ended."""
    metrics = (experiment.metric, *experiment.also)
    figures = {metric.name: experiment.figures(outcomes, metric) for metric in metrics}
    return [
        {"Arm": arm.name}
        | {
            capital(metric.name): spread(metric, own)
            for metric in metrics
            if (own := figures[metric.name][arm.name])
        }
        for arm in experiment.arms
    ]


def table(experiment: Experiment, outcomes: Sequence[Outcome]) -> list[str]:
    """The rows as lines of Markdown."""
    return markdown(rows(experiment, outcomes))


def markdown(found: Sequence[Mapping[str, str]]) -> list[str]:
    """A table with the columns of its first row."""
    heads = list(found[0])
    lines = [heads, ["---"] * len(heads), *([row[head] for head in heads] for row in found)]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def verdict(experiment: Experiment, outcomes: Sequence[Outcome]) -> str:
    """The verdict, and how it stands to the claim."""
    found = experiment.judge(outcomes)
    if found is None:
        return NOTHING_YET
    return f"{found.sentence} {conclusion(experiment, found.answer, found.seeds)}"


def conclusion(experiment: Experiment, answer: str, seeds: int) -> str:
    """Whether the claim is borne out, in a sentence."""
    said = "the claim is not decided here" if answer == OPEN else "against the claim"
    if answer == experiment.rule.claimed:
        said = "as claimed"
    with_seeds = "one seed" if seeds == 1 else f"{seeds} seeds"
    return f"With {with_seeds}: {said}."
