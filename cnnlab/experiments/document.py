"""The document on all experiments, with what was measured."""

from collections.abc import Iterator

from cnnlab.catalog import SECTIONS
from cnnlab.datasets import DATASETS
from cnnlab.experiments import EXPERIMENTS, SEEDS, Experiment, measured, of_section
from cnnlab.experiments.report import markdown

INTRODUCTION = f"""# Experiments

Every claim of the chapter that the course lets its readers test, with what came out of it here:
{len(SEEDS)} seeds for each arm, on the drawn shapes, and on Fashion-MNIST where it was tried. Runs
are short, so that a laptop can do them; what they say holds for short runs. A figure is the median
over the seeds, with the lowest and the highest in brackets. An arm is ahead where its worst seed
beats the best of the other. Seconds are for all runs side by side: processor time by cores, or, in
the older ones, on the clock, some beside other work that made them up to four times as long.

`python -m cnnlab.experiments table` runs all of them and writes this page; `--only` takes some,
`run NAME` does one and keeps nothing.
"""


def document() -> str:
    """All of it in Markdown."""
    return "\n".join([INTRODUCTION, *outcomes(), "", *details(), ""])


def outcomes() -> Iterator[str]:
    """One line for every experiment and data set."""
    yield "| experiment | on | came out | seconds |\n|---|---|---|---|"
    for one in EXPERIMENTS.values():
        for dataset, spec in DATASETS.items():
            if found := measured.of(one, dataset):
                yield (
                    f"| [{one.id}](#{one.id}) | {spec.title} | {found.conclusion} | "
                    f"{found.seconds:.0f} |"
                )
        if measured.of(one) is None:
            yield f"| [{one.id}](#{one.id}) | {DATASETS['shapes'].title} | not measured | |"


def details() -> Iterator[str]:
    """Every experiment under its section."""
    for slug, section in SECTIONS.items():
        yield f"## {section.heading}\n"
        for one in of_section(slug):
            yield from detail(one)


def detail(one: Experiment) -> Iterator[str]:
    """An experiment: question, claim, rule, and what came out."""
    yield f"### {one.id}\n\n**{one.question}** {one.claim} ({one.source}.)\n"
    yield f"{one.rule.says(one.metric)}\n"
    for dataset, spec in DATASETS.items():
        if found := measured.of(one, dataset):
            yield f"On {spec.title} ({found.date}, {found.machine}, {found.seconds:.0f} s):\n"
            yield from markdown(found.rows)
            yield f"\n{found.sentence} {found.conclusion}\n"
