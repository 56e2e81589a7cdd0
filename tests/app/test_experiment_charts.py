"""The charts of a card: what is judged, and the curves of training."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.experiments import EXPERIMENTS
from cnnlab.runs.store import RunStore
from tests.app.conftest import Open
from tests.app.runs_page import ME
from tests.app.trials import learn, predicted_and_run, said, timed


@pytest.fixture(autouse=True)
def nothing_predicted(store: RunStore) -> None:
    for name in EXPERIMENTS:
        store.predictions.forget(ME, name)


def drawn(app: AppTest) -> list[dict[str, Any]]:
    """The charts of the page, as Plotly is given them."""
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def test_a_figure_that_no_curve_shows_is_drawn_for_every_run(
    open_page: Open, store: RunStore
) -> None:
    experiment = EXPERIMENTS["activation-cost"]
    predicted_and_run(store, experiment, "first", ended=0)
    for run in store.runs(ME):
        timed(store, run.id, 0.001 if run.config.options.activation == "relu" else 0.004)  # type: ignore[attr-defined]
    app = open_page("alexnet", link={"view": "Experiments", "experiment": experiment.id})
    assert "4.0 times faster, 3 of 3 seeds." in said(app)
    (figure,) = drawn(app)
    assert [(trace["type"], trace["x"]) for trace in figure["data"]] == [
        ("bar", [1.0]),
        ("scatter", [1.0, 1.0, 1.0]),
        ("bar", [4.0]),
        ("scatter", [4.0, 4.0, 4.0]),
    ]
    assert [words["text"] for words in figure["layout"]["annotations"]] == [
        "<b>1.00 ms</b>",
        "<b>4.00 ms</b>",
    ]


def test_what_is_judged_is_drawn_where_the_curves_do_not_show_it(
    open_page: Open, store: RunStore
) -> None:
    experiment = EXPERIMENTS["nin-logits"]
    predicted_and_run(store, experiment, "never", ended=0)
    for run in store.runs(ME):
        # With the ReLU as many classes are lost as the seed says.
        lost = run.config.seed if run.config.options.final_activation else 0  # type: ignore[attr-defined]
        learn(store, run.id, 0.5, named=[0] * lost + [200] * (10 - lost))
    app = open_page("nin", link={"view": "Experiments", "experiment": experiment.id})
    judged, curves = drawn(app)
    assert judged["layout"]["xaxis"]["title"]["text"] == "Classes that are never named at the end"
    assert [sorted(trace["x"]) for trace in judged["data"] if trace["type"] == "scatter"] == [
        [0, 0, 0],
        [0, 1, 2],
    ]
    assert [words["text"] for words in judged["layout"]["annotations"]] == [
        "<b>0</b>",
        "<b>1</b><br>0 to 2",
    ]
    assert curves["layout"]["yaxis"]["title"]["text"] == "training accuracy"


def test_a_goal_is_a_line_across_the_curves(open_page: Open, store: RunStore) -> None:
    experiment = EXPERIMENTS["batch-norm-relu"]
    predicted_and_run(store, experiment, "first", ended=6)
    app = open_page("batch_norm", link={"view": "Experiments", "experiment": experiment.id})
    (curves,) = drawn(app)
    (line,) = curves["layout"]["shapes"]
    assert (line["y0"], line["y1"]) == (2.0, 2.0)


def test_arms_that_are_rungs_are_two_lines(open_page: Open, store: RunStore) -> None:
    experiment = EXPERIMENTS["batch-norm-rate"]
    predicted_and_run(store, experiment, "first", ended=8)
    app = open_page("batch_norm", link={"view": "Experiments", "experiment": experiment.id})
    ladder, curves = drawn(app)
    lines = [trace for trace in ladder["data"] if trace["mode"] == "lines"]
    assert [line["name"] for line in lines] == ["with batch norm", "without"]
    assert [line["x"] for line in lines] == [["0.02", "0.08", "0.32", "1.28"]] * 2
    assert ladder["layout"]["shapes"][0]["y0"] == 0.2
    named = [trace["name"] for trace in curves["data"] if trace.get("showlegend", True)]
    assert named == ["with batch norm", "without"]
    assert "stand for the learning rate" in said(app)
    # Of the curves a hue is a family's, and its shades are told apart.
    colours = {
        trace["name"]: trace["line"]["color"]
        for trace in curves["data"]
        if trace["name"] in experiment.rule.arms and "color" in trace["line"]
    }
    assert len(set(colours.values())) == 8
    assert [colours["with at 1.28"], colours["without at 1.28"]] == [
        line["line"]["color"] for line in lines
    ]
