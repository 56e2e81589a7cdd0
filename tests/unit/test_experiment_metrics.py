"""Metrics and rules of experiments on figures worked out by hand."""

import math

import pytest

from cnnlab.experiments.metrics import AtEnd, FirstGradient, Gap, Until
from cnnlab.experiments.outcome import Outcome, gather
from cnnlab.experiments.verdict import Ahead, Alike, Trend
from cnnlab.runs.records import Curve
from cnnlab.training.config import RunConfig
from cnnlab.training.events import Cancelled, Evaluation, Failed, Finished, Measurement, Progress

CONFIG = RunConfig(network="lenet", batch_size=32)
ACCURACY, LOSS = AtEnd("test_accuracy"), AtEnd("train_loss")


def progress(step: int, loss: float) -> Progress:
    return Progress(
        step=step,
        epoch=step / 10,
        elapsed_s=step / 2,
        train_loss=loss,
        train_accuracy=1 - loss / 2.5,
        lr=0.1,
        images_per_s=100.0,
        eta_s=1.0,
    )


def ended(**figures: float) -> Outcome:
    return Outcome(CONFIG, Curve(), "finished", figures)


def test_gathering_events() -> None:
    test = Evaluation(step=2, epoch=0.2, elapsed_s=1, test_loss=2.0, test_accuracy=0.3)
    end = Finished(step=2, epoch=0.2, elapsed_s=1, test_accuracy=0.3)
    found = gather(CONFIG, [progress(1, 2.3), progress(2, 2.0), test, end])
    assert found.curve.train_loss == [2.3, 2.0]
    assert found.curve.steps == [1, 2]
    assert found.curve.test_accuracy == [0.3]
    assert found.figures["test_accuracy"] == 0.3
    assert (found.counts, found.failed) == (True, False)
    failed = gather(CONFIG, [progress(1, 2.3), Failed(message="The loss ran away.")])
    assert (failed.counts, failed.failed, dict(failed.figures)) == (True, True, {})
    assert not gather(CONFIG, [Cancelled(step=1, epoch=0.1, elapsed_s=1)]).counts
    assert not gather(CONFIG, [progress(1, 2.3)]).counts


@pytest.mark.parametrize(("axis", "expected"), [("steps", 3), ("images", 96), ("seconds", 1.5)])
def test_until_counts_what_it_says(axis: str, expected: float) -> None:
    curve = gather(CONFIG, [progress(step, 2.0 if step < 3 else 0.0) for step in range(1, 6)]).curve
    # Smoothed, the third value is 0.7²·… : (0.15·2·0.85² + 0.15·2·0.85) / (1 − 0.85³) = 1.22.
    found = Until("loss", 1.3, axis).read(Outcome(CONFIG, curve, "finished"))  # type: ignore[arg-type]
    assert found == expected


def test_until_never() -> None:
    metric = Until("accuracy", 0.9)
    curve = gather(CONFIG, [progress(1, 2.0)]).curve
    found = metric.read(Outcome(CONFIG, curve, "finished"))
    assert found == math.inf
    assert metric.text(found) == "never"
    assert metric.name == "steps until the training accuracy is above 90%"
    assert metric.apart(10, math.inf) == "the other never gets there"
    assert metric.apart(10, 40) == "4.0 times sooner"


def test_at_the_end() -> None:
    assert ACCURACY.read(ended(test_accuracy=0.5)) == 0.5
    assert ACCURACY.text(ACCURACY.read(ended())) == "diverged"
    assert LOSS.text(LOSS.read(ended(train_loss=math.nan))) == "diverged"
    assert ACCURACY.apart(0.5, 0.3) == "20 points higher"
    assert LOSS.apart(0.5, 0.75) == "0.25 lower"
    gap = Gap()
    assert gap.text(gap.read(ended(train_accuracy=0.9, test_accuracy=0.6))) == "30 points"
    assert gap.text(-0.001) == "0 points"
    assert gap.read(ended()) == math.inf


def test_the_first_gradient_as_a_share_of_the_last() -> None:
    metric = FirstGradient()

    def measured(step: int, layer: str, norm: float) -> Measurement:
        return Measurement(
            step=step,
            epoch=0.0,
            elapsed_s=0.0,
            kind="layer_statistics",
            layer=layer,
            values={"gradient_norm": norm},
        )

    found = [measured(s, layer, n) for s in (1, 2, 3) for layer, n in (("a", s), ("b", 100.0))]
    assert metric.read(Outcome(CONFIG, Curve(), "finished", {}, tuple(found))) == 0.02
    assert metric.text(0.002) == "1 / 500"
    assert metric.text(metric.read(ended())) == "none was measured"


def test_ahead_only_where_the_ranges_do_not_overlap() -> None:
    rule = Ahead("one", "other")
    found = rule.judge(ACCURACY, {"one": [0.5, 0.6, 0.7], "other": [0.2, 0.3, 0.4]})
    assert found.answer == "first"
    assert found.sentence == (
        "Test accuracy at the end: one 60% (50% to 70%); other 30% (20% to 40%). One: 30 points "
        "higher, 3 of 3 seeds."
    )
    # Seed by seed one is ahead; and yet the ranges overlap.
    found = rule.judge(ACCURACY, {"one": [0.5, 0.6, 0.7], "other": [0.4, 0.5, 0.6]})
    assert found.answer == "open"
    assert "does not decide it" in found.sentence
    assert rule.judge(ACCURACY, {"one": [0.1], "other": [0.2]}).answer == "second"
    # The lower loss is better.
    assert rule.judge(LOSS, {"one": [0.1], "other": [0.2]}).answer == "first"


def test_where_the_claim_is_that_nothing_differs_that_is_said() -> None:
    overlapping = {"one": [0.5, 0.6], "other": [0.4, 0.5]}
    said = Ahead("one", "other", claimed="open").judge(ACCURACY, overlapping).sentence
    assert "No difference shows" in said
    assert "does not decide" not in said


def test_ahead_by_enough() -> None:
    rule = Ahead("one", "other", by=0.1)
    assert rule.judge(ACCURACY, {"one": [0.55], "other": [0.5]}).answer == "open"
    assert rule.judge(ACCURACY, {"one": [0.65], "other": [0.5]}).answer == "first"


def test_a_trend_needs_every_step_and_ends_apart() -> None:
    rule = Trend(("a", "b", "c"))
    rising = {"a": [0.1, 0.2], "b": [0.2, 0.3], "c": [0.3, 0.4]}
    assert rule.judge(ACCURACY, rising).answer == "better"
    assert rule.judge(LOSS, rising).answer == "worse"
    assert rule.judge(ACCURACY, rising | {"b": [0.5, 0.5]}).answer == "open"
    assert rule.judge(ACCURACY, rising | {"c": [0.2, 0.2]}).answer == "open"


def test_alike_seed_by_seed() -> None:
    rule = Alike("one", "other", within=0.02)
    assert rule.judge(ACCURACY, {"one": [0.5, 0.9], "other": [0.51, 0.89]}).answer == "alike"
    assert rule.judge(ACCURACY, {"one": [0.5, 0.9], "other": [0.4, 0.3]}).answer == "first"
    assert rule.judge(ACCURACY, {"one": [0.5, 0.9], "other": [0.6, 0.8]}).answer == "open"
    # Two that diverged do not differ.
    diverged = {"one": [math.inf], "other": [math.inf]}
    assert rule.judge(LOSS, diverged).answer == "alike"
