"""What a run got right and wrong: in each state of a run, on Train and on the page of runs."""

import json
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnnlab import datasets
from cnnlab.datasets import DATASETS
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig
from cnnlab.training.events import Predicted
from pages.components import right_and_wrong, state
from tests.app.conftest import Open
from tests.app.runs_page import ME, add, add_group, open_runs

NAMES = DATASETS["shapes"].class_names
OPEN = {"answers.open": True}


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    return datasets.load("shapes").test_labels.numpy()


def answer(store: RunStore, run: str, labels: np.ndarray) -> None:
    """Let a run say the right class, but take every tenth picture for the next class."""
    classes = labels.copy()
    classes[::10] = (classes[::10] + 1) % len(NAMES)
    sure = np.full(len(labels), 200, np.uint8)
    sure[10] = 255
    place = {"step": 7, "epoch": 2.0, "elapsed_s": 3.0}
    said = {"classes": classes.astype("<u2").tobytes(), "confidence": sure.tobytes()}
    store.append(run, [Predicted(**place, **said)])


def tried(store: RunStore, labels: np.ndarray, ending: str = "finished") -> str:
    run = add(store, "Mine", page="batch_norm", ending=ending)
    answer(store, run, labels)
    return run


def charts(app: AppTest) -> list[dict[str, Any]]:
    """The matrix and the bars, where they are drawn."""
    assert not app.exception, [box.value for box in app.exception]
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return [
        spec for spec in specs if spec["data"] and spec["data"][0]["type"] in ("heatmap", "bar")
    ]


def gallery(app: AppTest) -> str:
    """The pictures and what is said below them."""
    found = [block.proto.body for block in app.get("html") if "<figure" in block.proto.body]
    return "".join(found)


def said(app: AppTest) -> str:
    return "\n".join([block.value for block in [*app.markdown, *app.caption]])


def test_matrix_bars_and_pictures_of_a_finished_run(
    open_page: Open, store: RunStore, labels: np.ndarray
) -> None:
    tried(store, labels)
    app = open_page("batch_norm", "Train", **OPEN)
    matrix, bars = charts(app)
    counts = np.zeros((10, 10), int)
    for number, label in enumerate(labels):
        counts[label, (label + (number % 10 == 0)) % 10] += 1
    texts = [f"{count:,}" if count else "" for count in counts.flatten()]
    assert matrix["data"][1]["text"] == texts
    assert bars["data"][0]["x"] == pytest.approx(counts.diagonal() / counts.sum(1))
    right = int(counts.trace())
    assert f"**{right:,} of {len(labels):,}** test pictures right" in said(app)
    assert "after step" not in said(app)
    # The surest mistake comes first, and no more than can be looked at.
    pictures = gallery(app)
    truth = NAMES[labels[10]], NAMES[(labels[10] + 1) % 10]
    assert pictures.index(f'alt="{truth[0]} → {truth[1]}, 100%"') < pictures.index("78%")
    assert pictures.count("<img") == right_and_wrong.MOST == pictures.count("alt=")


def test_a_cell_is_chosen_by_two_lists(
    open_page: Open, store: RunStore, labels: np.ndarray
) -> None:
    tried(store, labels)
    app = open_page("batch_norm", "Train", **OPEN)
    assert charts(app)[0]["layout"]["shapes"] == []
    app.selectbox(key="answers.cell.shapes.truth").set_value(NAMES[2]).run()
    app.selectbox(key="answers.cell.shapes.named").set_value(NAMES[3]).run()
    frame = charts(app)[0]["layout"]["shapes"][0]
    assert (frame["y0"], frame["x0"]) == (1.5, 2.5)
    count = int(((labels == 2) & (np.arange(len(labels)) % 10 == 0)).sum())
    assert gallery(app).count("<figcaption") == count
    assert gallery(app).count(f'alt="{NAMES[2]} → {NAMES[3]}') == count
    app.selectbox(key="answers.cell.shapes.named").set_value("The same").run()
    assert gallery(app).count(f'alt="{NAMES[2]} → {NAMES[2]}') == right_and_wrong.MOST
    app.selectbox(key="answers.cell.shapes.named").set_value(NAMES[7]).run()
    assert gallery(app) == ""
    assert "no such picture" in said(app)


def test_a_click_chooses_a_cell_and_takes_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clicked: dict[str, Any] = {"chart": {"selection": {"points": [{"x": 4, "y": 1}]}}}
    put: dict[str, object] = {}
    monkeypatch.setattr(state, "get", clicked.get)
    monkeypatch.setattr(state, "put", put.__setitem__)
    right_and_wrong.choose("chart", "cell", NAMES)
    assert put == {"cell.truth": NAMES[1], "cell.named": NAMES[4]}
    clicked["chart"] = {"selection": {"points": []}}
    right_and_wrong.choose("chart", "cell", NAMES)
    assert put == {"cell.truth": "Any class", "cell.named": "Something else"}


@pytest.mark.parametrize("ending", ["cancelled", "failed", "interrupted"])
def test_a_run_that_broke_off_shows_its_last_test(
    open_page: Open, store: RunStore, labels: np.ndarray, ending: str
) -> None:
    tried(store, labels, ending)
    app = open_page("batch_norm", "Train", **OPEN)
    assert len(charts(app)) == 2
    assert "after step 7, when it was last tested" in said(app)


@pytest.mark.parametrize(
    ("ending", "sentence"),
    [("finished", "was not kept"), ("failed", "before it was tested for the first time")],
)
def test_a_run_without_answers_says_why(
    open_page: Open, store: RunStore, ending: str, sentence: str
) -> None:
    add(store, "Old", page="batch_norm", ending=ending)
    app = open_page("batch_norm", "Train", **OPEN)
    assert charts(app) == []
    assert sentence in said(app)


def test_folded_or_not_yet_ended_nothing_is_read(
    open_page: Open, store: RunStore, labels: np.ndarray
) -> None:
    tried(store, labels)
    assert charts(open_page("batch_norm", "Train")) == []
    running = store.add(RunConfig(network="lenet"), ME, "batch_norm", "Now")
    store.started(running, {"device": "cpu", "precision": "float32"})
    app = open_page("batch_norm", "Train", **OPEN)
    assert not app.exception
    assert [box.label for box in app.expander if box.label == right_and_wrong.TITLE] == []


def test_another_data_set_than_the_run_was_tested_on(open_page: Open, store: RunStore) -> None:
    run = add(store, "Mine", page="batch_norm")
    place = {"step": 7, "epoch": 2.0, "elapsed_s": 3.0}
    store.append(run, [Predicted(**place, classes=b"\x63\x00", confidence=b"\x01")])
    app = open_page("batch_norm", "Train", **OPEN)
    assert charts(app) == []
    assert ["Train again" in box.value for box in app.error] == [True]


def test_pictures_that_are_not_on_this_machine(open_page: Open, store: RunStore) -> None:
    run = add(store, "Mine", page="batch_norm", dataset="fashion_mnist")
    place = {"step": 7, "epoch": 2.0, "elapsed_s": 3.0}
    store.append(run, [Predicted(**place, classes=b"\x01\x00", confidence=b"\x01")])
    app = open_page("batch_norm", "Train", link={"dataset": "fashion_mnist"}, **OPEN)
    assert charts(app) == []
    assert "Fashion-MNIST is not on this machine" in said(app)


def test_one_of_several_seeds_is_chosen(
    open_page: Open, store: RunStore, labels: np.ndarray
) -> None:
    _, runs = add_group(store, "Twice", [0.5, 0.6], page="batch_norm")
    answer(store, runs[1], labels)
    app = open_page("batch_norm", "Train", **OPEN)
    assert "was not kept" in said(app)
    app.selectbox(key="answers.run").set_value("Seed 1").run()
    assert len(charts(app)) == 2


def test_the_page_of_runs_shows_it_too(store: RunStore, labels: np.ndarray) -> None:
    run = tried(store, labels)
    app = open_runs([run])
    app.session_state["runs.answers.open"] = True
    app.run()
    assert len(charts(app)) == 2
