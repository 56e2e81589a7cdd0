"""Rules over families of arms and over accidents, and metrics of cost and of what is dead."""

import math

import pytest

from cnnlab import catalog
from cnnlab.experiments.ceiling import Ceiling
from cnnlab.experiments.counting import HowOften
from cnnlab.experiments.dead import DeadClasses, DeadUnits
from cnnlab.experiments.efficiency import Efficiency
from cnnlab.experiments.ladder import Family
from cnnlab.experiments.metrics import AtEnd
from cnnlab.experiments.outcome import Outcome, gather
from cnnlab.runs.records import Curve
from cnnlab.training import RunConfig, train
from cnnlab.training.events import Finished, Measurement

CONFIG = RunConfig(network="lenet", batch_size=32)
ACCURACY, LOSS = AtEnd("test_accuracy"), AtEnd("train_loss")
RATES = (0.1, 0.5, 2.5)
CEILING = Ceiling(
    Family("with", tuple((rate, f"with {rate}") for rate in RATES)),
    Family("without", tuple((rate, f"without {rate}") for rate in RATES)),
    learns=0.3,
)


def ended(**figures: object) -> Outcome:
    return Outcome(CONFIG, Curve(), "finished", figures)


def families(*accuracies: list[float]) -> dict[str, list[float]]:
    """The accuracies of the arms with, then of those without, each seed by seed."""
    return dict(zip(CEILING.arms, accuracies, strict=True))


def test_the_largest_rate_that_learns() -> None:
    good, bad, ran_away = [0.5, 0.4, 0.6], [0.1, 0.1, 0.1], [-math.inf] * 3
    found = CEILING.judge(ACCURACY, families(good, good, good, good, bad, ran_away))
    assert found.answer == "first"
    assert found.sentence == (
        "Largest learning rate with test accuracy at the end above 30%: with 2.5; without 0.1. "
        "With: 25 times as high, 3 of 3 seeds."
    )
    assert CEILING.judge(ACCURACY, families(good, bad, bad, good, good, bad)).answer == "second"
    assert CEILING.judge(ACCURACY, families(good, good, bad, good, good, bad)).answer == "open"


def test_a_rate_between_two_that_learn_may_fail() -> None:
    good, bad = [0.5], [0.1]
    found = CEILING.judge(ACCURACY, families(bad, bad, good, good, good, bad))
    assert found.answer == "first"
    assert "with 2.5; without 0.5" in found.sentence


def test_no_rate_that_learns() -> None:
    good, bad = [0.5, 0.5], [0.3, 0.1]
    found = CEILING.judge(ACCURACY, families(good, bad, bad, bad, bad, bad))
    assert "with 0.1; without none. With: the other learns with none, 2 of 2 seeds." in (
        found.sentence
    )
    neither = CEILING.judge(ACCURACY, families(bad, bad, bad, bad, bad, bad))
    assert neither.answer == "open"


def test_the_ceiling_of_a_loss_lies_below() -> None:
    low, high = [0.1], [2.3]
    losses = families(low, low, high, low, high, high)
    found = Ceiling(CEILING.first, CEILING.second, learns=1.0).judge(LOSS, losses)
    assert "training loss at the end below 1.00: with 0.5; without 0.1" in found.sentence


@pytest.mark.parametrize(
    ("struck", "answer"), [([0, 0, 0], "never"), ([0, 3, 0], "sometimes"), ([1, 9, 2], "always")]
)
def test_how_often_something_happens(struck: list[float], answer: str) -> None:
    rule = HowOften("with", "without", "It loses classes")
    found = rule.judge(DeadClasses(), {"with": struck, "without": [0, 0, 0]})
    assert found.answer == answer
    assert f"With does worse with {sum(map(bool, struck))} of 3 seeds." in found.sentence
    assert found.answer in rule.answers


def test_an_accident_is_compared_with_the_same_seed() -> None:
    rule = HowOften("with", "without", "It loses classes")
    assert rule.judge(DeadClasses(), {"with": [2, 4], "without": [2, 4]}).answer == "never"
    # Where the other arm diverged too there is nothing to compare with.
    nothing = {"with": [math.inf, math.inf], "without": [math.inf, math.inf]}
    assert rule.judge(DeadClasses(), nothing).answer == "open"
    assert rule.judge(DeadClasses(), {"with": [math.inf], "without": [0]}).answer == "always"


def test_dead_classes_are_those_never_named() -> None:
    metric = DeadClasses()
    assert metric.read(ended(named=(0, 4, 0, 1))) == 2
    assert metric.text(2.0) == "2"
    assert metric.apart(1.0, 4.0) == "3 fewer"
    assert metric.text(metric.read(ended())) == "not counted"


def test_a_run_reports_how_often_it_named_each_class() -> None:
    config = RunConfig(network="lenet", train_size=64, epochs=1, batch_size=32, lr=1e-6)
    *_, ending = train(config)
    assert isinstance(ending, Finished)
    assert ending.named is not None
    assert len(ending.named) == 10
    assert sum(ending.named) == 2000
    # What was hardly trained names few classes.
    assert DeadClasses().read(gather(config, [ending])) == ending.named.count(0) > 0


def test_dead_units_of_the_last_observed_step() -> None:
    def measured(step: int, layer: str, **values: float) -> Measurement:
        place = {"step": step, "epoch": 0.0, "elapsed_s": 0.0, "kind": "layer_statistics"}
        return Measurement.model_validate({**place, "layer": layer, "values": values})

    seen = [measured(1, "a", dead=0.9), measured(5, "a", dead=0.2), measured(5, "b", dead=0.4)]
    seen.append(measured(5, "c", mean=1.0))
    metric = DeadUnits()
    assert metric.read(Outcome(CONFIG, Curve(), "finished", {}, tuple(seen))) == pytest.approx(0.3)
    assert metric.text(0.3) == "30%"
    assert metric.apart(0.1, 0.3) == "20 points fewer"
    assert metric.text(metric.read(ended())) == "none was measured"


def test_accuracy_by_cost() -> None:
    found = ended(test_accuracy=0.5)
    spec = catalog.network("lenet")
    model = spec.build(CONFIG.options, device="meta", image_size=CONFIG.image_size)
    params = sum(p.numel() for p in model.parameters())
    assert Efficiency().read(found) == pytest.approx(50e6 / params)
    # The first convolution alone is known by heart; the whole network costs more.
    assert 0 < Efficiency("macs").read(found) < 50e6 / (CONFIG.image_size**2 * 25 * 6)
    assert Efficiency().text(812.4) == "812 points"
    assert Efficiency().text(0.84) == "0.8 points"
    assert Efficiency().apart(30.0, 10.0) == "3.0 times as many"
    assert Efficiency().text(Efficiency().read(ended())) == "diverged"
