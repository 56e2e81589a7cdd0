"""Races: equal time, equal images, equal steps, and what is said of them."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.compare.contenders import Contender
from cnnlab.compare.race import (
    AHEAD,
    MOST_EPOCHS,
    TERMS,
    Equal,
    Race,
    equal_in,
    passes,
    title_in_race,
)
from cnnlab.compare.standings import ONE_SEED, STOPPED, standings, told
from cnnlab.datasets import DATASETS
from cnnlab.errors import ConfigError
from cnnlab.experiments.outcome import Outcome
from cnnlab.runs.records import Curve
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate
from cnnlab.training.plan import Plan

PAIR = (Contender("lenet"), Contender("resnet"))
# Their batches differ.
BOOK = (Contender("lenet", "d2l"), Contender("alexnet", "d2l"))


def unknown(_: RunConfig) -> Estimate | None:
    return None


def fast(_: RunConfig) -> Estimate | None:
    return Estimate(precision="float32", step_s=0.01, test_image_s=0.001)


def steps(config: RunConfig) -> int:
    return Plan.of(config, DATASETS[config.dataset].test_size).steps


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("contenders", [PAIR, BOOK])
@pytest.mark.parametrize("equal", ["images", "steps"])
def test_everybody_gets_the_same(
    contenders: tuple[Contender, ...], dataset: str, equal: Equal
) -> None:
    for amount in TERMS[equal].amounts:
        configs = Race(contenders, dataset, equal, amount).configs(unknown)
        sizes = [config.batch_size if equal == "images" else 1 for config in configs]
        assert [steps(config) * size for config, size in zip(configs, sizes, strict=True)] == [
            amount
        ] * 2
        assert {config.seed for config in configs} == {0}


@given(
    st.integers(1, 4000), st.sampled_from([2**n for n in range(1, 10)]), st.integers(1000, 60_000)
)
def test_passes_make_exactly_so_many_steps_or_say_that_they_cannot(
    count: int, batch_size: int, available: int
) -> None:
    most = available // batch_size
    if not any(count % n == 0 and count // n <= most for n in range(1, MOST_EPOCHS + 1)):
        with pytest.raises(ConfigError, match=f"{count} steps of {batch_size} pictures"):
            passes(count, batch_size, available)
        return
    epochs, train_size = passes(count, batch_size, available)
    assert 1 <= epochs <= MOST_EPOCHS
    assert train_size <= available
    assert epochs * (train_size // batch_size) == count
    # Of one pass fewer there is none: no picture is seen twice without need.
    fewer = [n for n in range(1, epochs) if count % n == 0 and count // n * batch_size <= available]
    assert fewer == []


def test_against_the_clock_a_run_is_planned_longer_than_its_time() -> None:
    first, second = Race(PAIR, "shapes", "time", 10).configs(fast)
    assert (first.budget_s, second.budget_s) == (10, 10)
    # 187 steps of 64 pictures make an epoch of 1.87 s.
    assert first.epochs == 22
    assert AHEAD * 10 <= first.epochs * 1.87 < AHEAD * 10 + 1.87
    known_of_none = Race(PAIR, "shapes", "time", 10).configs(unknown)
    assert [config.epochs for config in known_of_none] == [MOST_EPOCHS] * 2
    assert steps(known_of_none[0]) * 0.0005 > 10


def test_the_price() -> None:
    race = Race(PAIR, "shapes", "steps", 100)
    assert race.price_s(unknown) is None
    price = race.price_s(fast)
    assert price is not None
    tests = len(Plan.of(race.config(PAIR[0], fast), 2000).evaluation_steps)
    assert price[PAIR[0]] == pytest.approx(100 * 0.01 + tests * 2000 * 0.001)
    # The clock stops it, tests included.
    assert Race(PAIR, "shapes", "time", 10).price_s(fast) == dict.fromkeys(PAIR, 10.0)
    assert race.price_s(lambda _: Estimate(problem="Too large.")) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contenders": PAIR[:1]}, "2 to 7 different networks; 1 were given"),
        ({"contenders": PAIR[:1] * 2}, "2 to 7 different networks; 2 were given"),
        ({"contenders": ()}, "2 to 7 different networks; 0 were given"),
        ({"dataset": "letters"}, "no data set 'letters'"),
        ({"amount": 7}, "'time' with 7 was given"),
        ({"equal": "luck"}, "'luck' with 5 was given"),
    ],
)
def test_odd_races_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        dataclasses.replace(Race(PAIR, "shapes", "time", 5), **change)


def test_a_race_is_known_by_its_runs() -> None:
    cases: tuple[tuple[Equal, tuple[Contender, ...]], ...] = (
        ("time", PAIR),
        ("images", BOOK),
        ("steps", BOOK),
    )
    for equal, contenders in cases:
        amount = TERMS[equal].amounts[1]
        configs = Race(contenders, "fashion_mnist", equal, amount).configs(unknown)
        assert equal_in(configs) == equal
    race = Race(BOOK, "shapes", "images", 2048)
    assert race.name == "Race of 2, 2,048 images each"
    assert [title_in_race(config) for config in race.configs(unknown)] == ["LeNet", "AlexNet"]
    assert title_in_race(RunConfig(network="lenet", options={"hidden1": 77})) == "lenet"


def outcome(network: str, accuracy: float | None, status: str = "finished") -> Outcome:
    config = Contender(network).config("shapes")
    curve = Curve(steps=[1, 40], seconds=[0.1, 4.0], train_loss=[2.0, 0.5])
    if accuracy is not None:
        curve.test_steps, curve.test_seconds, curve.test_accuracy = [40], [5.0], [accuracy]
    return Outcome(config, curve, status)


def test_the_best_stands_first_and_a_diverged_one_last() -> None:
    runs = [
        outcome("lenet", 0.5),
        outcome("vgg", 0.9, "failed"),
        outcome("resnet", 0.8),
        outcome("nin", None, "running"),
    ]
    found = standings(runs)
    assert [one.title for one in found] == ["ResNet", "LeNet", "VGG", "NiN"]
    assert [one.accuracy for one in found] == [0.8, 0.5, None, None]
    assert (found[0].steps, found[0].images, found[0].seconds) == (40, 2560, 5.0)
    assert found[0].train_loss == 0.5


def test_a_lead_and_what_one_seed_is_worth() -> None:
    said = " ".join(told([outcome("lenet", 0.5), outcome("resnet", 0.8)]))
    assert "**ResNet** came first: 80.0% of the 2,000 test pictures, 30.0 points before" in said
    assert "no lead" not in said
    assert said.endswith(ONE_SEED)


def test_a_small_lead_is_none() -> None:
    said = " ".join(told([outcome("lenet", 0.79), outcome("resnet", 0.8)]))
    # 2 √((0.8 · 0.2 + 0.79 · 0.21) / 2000) = 2.55 points.
    assert "1.0 points before LeNet" in said
    assert "That is no lead: on 2,000 pictures, 2.6 points" in said


def test_who_cannot_go_on_is_named() -> None:
    one_left = told([outcome("lenet", 0.5), outcome("resnet", None, "failed")])
    assert one_left[0].startswith("**LeNet** came first")
    assert "Could not go on: ResNet." in one_left
    nobody = told([outcome("lenet", None, "failed"), outcome("resnet", None, "failed")])
    assert nobody == ["Could not go on: LeNet, ResNet."]


def test_a_stopped_race_has_no_winner() -> None:
    assert told([outcome("lenet", 0.5), outcome("resnet", 0.8, "cancelled")]) == [STOPPED]
