"""Rules of claims that each part is missed, and that a gain grows."""

import math

from cnnlab.experiments.each_missed import EachMissed
from cnnlab.experiments.gain import GainGrows
from cnnlab.experiments.ladder import Family
from cnnlab.experiments.metrics import AtEnd

ACCURACY, LOSS = AtEnd("test_accuracy"), AtEnd("train_loss")
PATHS = EachMissed("all", ("without a", "without b"), by=0.02)
SIZES = (2, 256)
GAIN = GainGrows(
    Family("with", tuple((size, f"with {size}") for size in SIZES)),
    Family("without", tuple((size, f"without {size}") for size in SIZES)),
)


def test_the_part_that_is_missed_most_is_named() -> None:
    whole = {"all": [0.6, 0.7, 0.7]}
    both = PATHS.judge(
        ACCURACY, {**whole, "without a": [0.3, 0.4, 0.5], "without b": [0.5, 0.5, 0.5]}
    )
    assert both.answer == "each"
    assert both.sentence.endswith("Most is lost without a: all 30 points higher, 3 of 3 seeds.")
    one = PATHS.judge(
        ACCURACY, {**whole, "without a": [0.65, 0.65, 0.65], "without b": [0.5, 0.5, 0.5]}
    )
    assert one.answer == "open"
    assert one.sentence.endswith(
        "Most is lost without b: all 20 points higher, 3 of 3 seeds. Not told apart from all: "
        "without a."
    )


def test_one_part_that_is_better_out_is_against_the_claim() -> None:
    found = PATHS.judge(ACCURACY, {"all": [0.6], "without a": [0.3], "without b": [0.8]})
    assert found.answer == "not_all"
    assert "Most is lost without a" in found.sentence
    assert found.sentence.endswith("Better than all: without b.")
    # By a point it may be chance.
    near = PATHS.judge(ACCURACY, {"all": [0.6], "without a": [0.3], "without b": [0.61]})
    assert near.answer == "open"
    # A lower loss is better.
    losses = {"all": [1.0], "without a": [1.5], "without b": [2.0]}
    assert PATHS.judge(LOSS, losses).answer == "each"
    assert "Most is lost without b" in PATHS.judge(LOSS, losses).sentence
    none = PATHS.judge(ACCURACY, {"all": [0.6], "without a": [0.6], "without b": [0.6]})
    assert "Nothing is missed" in none.sentence


def gains(*accuracies: list[float]) -> dict[str, list[float]]:
    """With at 2 and 256, then without at 2 and 256; seed by seed."""
    return dict(zip(GAIN.arms, accuracies, strict=True))


def test_a_gain_is_told_seed_by_seed() -> None:
    found = GAIN.judge(ACCURACY, gains([0.2, 0.3], [0.8, 0.9], [0.5, 0.6], [0.4, 0.5]))
    assert found.answer == "grows"
    assert found.sentence == (
        "Gain from with in test accuracy at the end: at 256 +40 points; at 2 -30 points. At 256: "
        "70 points more, 2 of 2 seeds."
    )
    flat = gains([0.8, 0.9], [0.2, 0.3], [0.4, 0.5], [0.5, 0.6])
    assert GAIN.judge(ACCURACY, flat).answer == "shrinks"
    crossing = gains([0.5, 0.6], [0.5, 0.9], [0.4, 0.4], [0.5, 0.6])
    assert GAIN.judge(ACCURACY, crossing).answer == "open"
    # What ran away has learned nothing, and is not infinitely bad.
    away = gains([0.2], [0.8], [0.5], [-math.inf])
    assert "at 256 +80 points" in GAIN.judge(ACCURACY, away).sentence
