"""The chart of a race: one colour for each network, from its first point on."""

from typing import Any

import pytest

from cnnlab.compare.contenders import Contender
from cnnlab.compare.race import Axis
from cnnlab.experiments.outcome import Outcome
from cnnlab.runs.records import Curve
from pages.components import race_chart

BEGUN = Curve(steps=[1, 2], seconds=[0.5, 1.0], train_loss=[2, 1], train_accuracy=[0.1, 0.2])
TESTED = Curve(
    steps=[1, 2],
    seconds=[0.5, 1.0],
    train_loss=[2, 1],
    train_accuracy=[0.1, 0.2],
    test_steps=[2],
    test_seconds=[1.5],
    test_accuracy=[0.4],
)


def lines(axis: Axis = "seconds") -> list[dict[str, Any]]:
    outcomes = [
        Outcome(Contender("lenet").config("shapes"), TESTED, "finished"),
        Outcome(Contender("lenet", "d2l").config("shapes"), BEGUN, "running"),
        Outcome(Contender("nin").config("shapes"), Curve(), "queued"),
    ]
    found: Any = race_chart.chart(outcomes, axis).to_dict()["data"]
    return list(found)


def test_every_network_that_has_begun_stands_in_the_legend_once() -> None:
    drawn = [line for line in lines() if line["x"]]
    shown = [line["name"] for line in drawn if line.get("showlegend", True)]
    assert shown == ["LeNet", "LeNet"]
    assert len({line["line"]["color"] for line in drawn}) == 2
    assert [line["y"] for line in drawn] == [
        [0.1, pytest.approx(0.15, abs=0.06)],
        [0.4],
        *[[0.1, pytest.approx(0.15, abs=0.06)]],
    ]


@pytest.mark.parametrize(
    ("axis", "trained", "tested"),
    [
        ("seconds", [0.5, 1.0], [1.5]),
        ("steps", [1, 2], [2]),
        # The small LeNet takes 64 pictures a step.
        ("images", [64, 128], [128]),
    ],
)
def test_the_axis(axis: Axis, trained: list[float], tested: list[float]) -> None:
    assert [line["x"] for line in lines(axis)[:2]] == [trained, tested]
