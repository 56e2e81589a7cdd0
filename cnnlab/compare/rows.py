"""The table of all networks on a data set: what each counts, takes and reaches."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cnnlab.compare import measured, published
from cnnlab.compare.contenders import Contender, Size, contenders, same_run
from cnnlab.runs.records import RunRecord
from cnnlab.summary import BYTES_PER_VALUE, Summary, layers
from cnnlab.trace import trace_of
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate

# How fast such a run is; None as long as nobody knows.
Speeds = Callable[[RunConfig], Estimate | None]


@dataclass(frozen=True)
class Reached:
    """A test accuracy, in a few words whose it is, and where that was measured if it was by us."""

    accuracy: float
    by: str
    where: str = ""


@dataclass(frozen=True)
class Row:
    """A network as it is built for a data set; None for what is not known.

    Units: `memory_bytes` weights and the outputs of all layers for one picture, in single
    precision; `predict_s` and `train_s` seconds for one picture.
    """

    contender: Contender
    params: int
    macs: int
    memory_bytes: int
    image_size: int
    predict_s: float | None = None
    train_s: float | None = None
    busy: bool = False
    problem: str = ""
    reached: Reached | None = None


def rows(size: Size, dataset: str, runs: Sequence[RunRecord], speeds: Speeds | None) -> list[Row]:
    """A row for each contender of a size, in the order of the chapter.

    `runs` are those of one visitor. Speeds are asked for one after the other: what comes after the
    first that is not known is not asked for yet. Nothing is where `speeds` is None.
    """
    configs = {one: one.config(dataset) for one in contenders(size)}
    known = dict(zip(configs, asked(list(configs.values()), speeds), strict=True))
    return [row(one, config, known[one], runs) for one, config in configs.items()]


def asked(configs: Sequence[RunConfig], speeds: Speeds | None) -> Iterator[Estimate | None]:
    """What is known of each run, and nothing after the first of which nothing is."""
    for config in configs:
        found = speeds(config) if speeds else None
        yield found
        if found is None:
            speeds = None


def row(
    contender: Contender, config: RunConfig, speed: Estimate | None, runs: Sequence[RunRecord]
) -> Row:
    """What is known of one contender."""
    table = counts(contender, config.dataset)
    works = speed is not None and not speed.problem
    return Row(
        contender=contender,
        params=table.params,
        macs=table.macs,
        memory_bytes=table.activation_bytes + BYTES_PER_VALUE * table.params,
        image_size=config.image_size,
        predict_s=speed.test_image_s if speed and works else None,
        train_s=speed.step_s / config.batch_size if speed and works else None,
        busy=bool(speed and speed.busy),
        problem=speed.problem if speed else "",
        reached=reached(contender, config, runs),
    )


@lru_cache(maxsize=256)
def counts(contender: Contender, dataset: str) -> Summary:
    """The layers as they are for a data set, the same for every reader."""
    config = contender.config(dataset)
    return layers(trace_of(contender.spec, config.options, config.image_size))


def reached(contender: Contender, config: RunConfig, runs: Sequence[RunRecord]) -> Reached | None:
    """The visitor's own best, else what we measured, else what the book publishes."""
    if found := reached_here(config, runs):
        return found
    told = published.of(contender)
    if told and told.accuracy and config.dataset == published.BOOK_DATASET:
        low, high = (f"{100 * one:.1f}" for one in (told.accuracy.low, told.accuracy.high))
        return Reached(told.accuracy.median, f"the book, {low} to {high} %")
    return None


def reached_here(config: RunConfig, runs: Sequence[RunRecord]) -> Reached | None:
    """The visitor's own best run with these settings, else what we measured of them."""
    own = [
        float(run.figures["test_accuracy"])
        for run in runs
        if run.status == "finished"
        and run.figures.get("test_accuracy") is not None
        and same_run(run.config, config)
    ]
    if own:
        return Reached(max(own), "your run" if len(own) == 1 else f"your best of {len(own)} runs")
    if ours := measured.of(config):
        low, high = (f"{100 * of(ours.accuracies):.1f}" for of in (min, max))
        where = f"{len(ours.accuracies)} seeds, {ours.machine}, {ours.date}"
        return Reached(ours.mean, f"we, {low} to {high} %", where)
    return None
