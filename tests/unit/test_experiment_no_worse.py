"""The rule of a claim that something does no harm."""

import math

import pytest

from cnnlab.experiments.metrics import AtEnd
from cnnlab.experiments.no_worse import NoWorse

ACCURACY, LOSS = AtEnd("test_accuracy"), AtEnd("train_loss")
HALF = NoWorse("half", "all", margin=0.1)


@pytest.mark.parametrize(
    ("half", "answer", "said"),
    [
        # The worst seed is within the margin of the best of the other.
        ([1.0, 1.05, 1.08], "no_worse", "Half: no worse; its worst seed lies within 0.10"),
        ([0.5, 0.5, 0.6], "no_worse", "Half: no worse, and even better: 0.50 lower."),
        # Behind with every seed, but by less than counts.
        ([1.05, 1.05, 1.06], "no_worse", "its worst seed lies within 0.10"),
        ([1.4, 1.5, 1.6], "worse", "All: 0.50 lower, 3 of 3 seeds."),
        # No difference is seen, and yet nothing is shown: the seeds scatter too much.
        ([0.8, 1.0, 1.3], "open", "does not decide it"),
        # Behind with every seed, but neither within the margin nor by enough.
        ([1.03, 1.05, 1.15], "open", "does not decide it"),
        ([math.inf, 1.0, 1.0], "open", "does not decide it"),
    ],
)
def test_no_worse_needs_more_than_no_difference(half: list[float], answer: str, said: str) -> None:
    found = HALF.judge(LOSS, {"half": half, "all": [1.0, 1.0, 1.02]})
    assert found.answer == answer
    assert said in found.sentence
    assert found.answer in HALF.answers


def test_no_worse_in_accuracy() -> None:
    every = {"all": [0.5, 0.52]}
    assert HALF.judge(ACCURACY, {"half": [0.45, 0.47], **every}).answer == "no_worse"
    assert HALF.judge(ACCURACY, {"half": [0.3, 0.35], **every}).answer == "worse"
    assert HALF.judge(ACCURACY, {"half": [0.3, 0.5], **every}).answer == "open"
    assert "within 10% of the best" in HALF.says(ACCURACY)
