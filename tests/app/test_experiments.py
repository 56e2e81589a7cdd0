"""The Experiments view: predict, run, read the verdict, start over."""

import pytest

from cnnlab import datasets
from cnnlab.datasets.dataset import State
from cnnlab.experiments import EXPERIMENTS, SEEDS
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.events import Measurement
from pages.components import experiment_runs, services
from tests.app.conftest import Open
from tests.app.runs_page import ME
from tests.app.trials import predicted_and_run, said

RELU = EXPERIMENTS["relu-sigmoid"]
NOTHING_SHOWN = ("Why.", "Finished", "does not decide")


@pytest.fixture(autouse=True)
def nothing_predicted(store: RunStore) -> None:
    for name in EXPERIMENTS:
        store.predictions.forget(ME, name)


def test_nothing_is_shown_before_the_prediction(open_page: Open) -> None:
    app = open_page("alexnet", "Experiments")
    assert RELU.question in said(app)
    assert RELU.claim in said(app)
    assert RELU.why not in said(app)
    assert not any(words in said(app) for words in NOTHING_SHOWN)
    assert [button.label for button in app.button if str(button.key).startswith("predict.")] == [
        *RELU.rule.answers.values()
    ]
    assert "experiment_run" not in {button.key for button in app.button}


Submitted = list[tuple[list[RunConfig], str, str]]


@pytest.fixture
def submitted(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Submitted:
    """The groups that the page submits; they wait for ever."""
    found: Submitted = []

    def submit(configs: list[RunConfig], visitor: str, page: str, name: str) -> str:
        found.append((configs, visitor, page))
        names = [f"{number}" for number in range(len(configs))]
        return store.add_group(configs, visitor, page, name, names)[0]

    monkeypatch.setattr(services.run_manager(), "submit_group", submit)
    return found


def put_fashion_mnist(patch: pytest.MonkeyPatch, status: str) -> None:
    """Fashion-MNIST is on this machine, or not."""
    real = datasets.state
    there = State(status, "Fashion-MNIST is as the test says.")  # type: ignore[arg-type]
    patch.setattr(datasets, "state", lambda name: real(name) if name == "shapes" else there)


def test_predict_then_run_then_stop(open_page: Open, submitted: Submitted) -> None:
    app = open_page("alexnet", "Experiments")
    app.button(key="predict.relu-sigmoid.first").click().run()
    assert "**You predict.** ReLU learns sooner." in said(app)
    app.button(key="experiment_run").click().run()
    ((configs, visitor, page),) = submitted
    assert (configs, visitor, page) == (RELU.configs(), ME, "alexnet")
    assert "0 of 6 runs done" in said(app)
    assert experiment_runs.WAITING in app.radio(key="experiment_choice").proto.captions
    # No table without a figure.
    (counts,) = app.dataframe
    assert "Parameters" in counts.value
    assert "experiment_run" not in {button.key for button in app.button}
    app.button(key="experiment_stop").click().run()
    # Another server's, as the manager sees it: it says so instead of breaking.
    assert not app.exception


def test_run_on_fashion_mnist(
    open_page: Open, submitted: Submitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_fashion_mnist(monkeypatch, "ready")
    app = open_page("alexnet", "Experiments")
    app.button(key="predict.relu-sigmoid.first").click().run()
    app.segmented_control(key="experiment_pictures").set_value("fashion_mnist").run()
    # The settings that a button opens are those that will be run.
    app.button(key="experiment_run").click().run()
    assert [configs for configs, _, _ in submitted] == [RELU.configs(SEEDS, "fashion_mnist")]
    assert "0 of 6 runs done" in said(app)
    app.button(key="open.relu-sigmoid.ReLU").click().run()
    assert app.session_state["alexnet.lenet.configuration"].run_config.dataset == "fashion_mnist"


def test_pictures_that_are_not_there_are_offered(
    open_page: Open, submitted: Submitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_fashion_mnist(monkeypatch, "not downloaded")
    app = open_page("alexnet", "Experiments")
    app.button(key="predict.relu-sigmoid.first").click().run()
    app.segmented_control(key="experiment_pictures").set_value("fashion_mnist").run()
    assert app.button(key="experiment_run").disabled
    assert [box.value for box in app.info] == ["Fashion-MNIST is as the test says."]
    assert app.button(key="download.fashion_mnist")
    app.segmented_control(key="experiment_pictures").set_value("shapes").run()
    app.button(key="experiment_run").click().run()
    assert [configs for configs, _, _ in submitted] == [RELU.configs()]


@pytest.mark.parametrize(
    ("used", "other"), [("shapes", "fashion_mnist"), ("fashion_mnist", "shapes")]
)
def test_once_more_on_other_pictures(
    open_page: Open,
    store: RunStore,
    submitted: Submitted,
    monkeypatch: pytest.MonkeyPatch,
    used: str,
    other: str,
) -> None:
    put_fashion_mnist(monkeypatch, "ready")
    predicted_and_run(store, RELU, "first", ended=6, dataset=used)
    app = open_page("alexnet", "Experiments")
    assert f"On {datasets.DATASETS[used].title}. Your prediction was right." in said(app)
    app.button(key=f"experiment_run.{other}").click().run()
    assert [configs for configs, _, _ in submitted] == [RELU.configs(SEEDS, other)]
    assert "**You predict.** ReLU learns sooner." in said(app)
    assert "0 of 6 runs done" in said(app)


@pytest.mark.parametrize(
    ("answer", "told", "state"),
    [
        ("first", "Your prediction was right.", experiment_runs.RIGHT),
        ("second", "You predicted otherwise.", experiment_runs.WRONG),
    ],
)
def test_the_verdict(open_page: Open, store: RunStore, answer: str, told: str, state: str) -> None:
    predicted_and_run(store, RELU, answer, ended=6)
    app = open_page("alexnet", "Experiments")
    text = said(app)
    assert "ReLU: the other never gets there, 3 of 3 seeds." in text
    assert "With 3 seeds: as claimed." in text
    assert told in text
    assert RELU.why in text
    assert state in app.radio(key="experiment_choice").proto.captions
    assert list(app.dataframe[-1].value["Arm"]) == ["ReLU", "sigmoid"]
    # What has a verdict is not run again on the same pictures.
    assert "experiment_run.shapes" not in {button.key for button in app.button}
    app.button(key="experiment_over").click().run()
    assert RELU.why not in said(app)
    assert "experiment_over" not in {button.key for button in app.button}


def test_what_was_stopped_can_be_run_again(
    open_page: Open, store: RunStore, submitted: Submitted
) -> None:
    predicted_and_run(store, RELU, "first", ended=1)
    for run in store.runs(ME):
        if run.status == "queued":
            store.ended(run.id, "cancelled")
    app = open_page("alexnet", "Experiments")
    assert experiment_runs.STOPPED in app.radio(key="experiment_choice").proto.captions
    app.button(key="experiment_run.shapes").click().run()
    assert [configs for configs, _, _ in submitted] == [RELU.configs()]
    assert "**You predict.** ReLU learns sooner." in said(app)
    assert "0 of 6 runs done" in said(app)


def test_a_verdict_so_far(open_page: Open, store: RunStore) -> None:
    predicted_and_run(store, RELU, "first", ended=3)
    app = open_page("alexnet", "Experiments")
    text = said(app)
    assert "So far." in text
    assert "ReLU: " in text
    assert "of 1 seeds" not in text
    assert "3 of 6 runs done" in text
    # Why it is so is told when all has been seen.
    assert RELU.why not in text
    assert experiment_runs.GOING_ON in app.radio(key="experiment_choice").proto.captions


def test_runs_that_were_deleted_leave_the_prediction(open_page: Open, store: RunStore) -> None:
    predicted_and_run(store, RELU, "first", ended=6)
    for run in store.runs(ME):
        store.delete(run.id)
    app = open_page("alexnet", "Experiments")
    assert "experiment_run" in {button.key for button in app.button}
    assert experiment_runs.PREDICTED in app.radio(key="experiment_choice").proto.captions


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_card_opens_by_its_link_and_its_settings(open_page: Open, name: str) -> None:
    experiment = EXPERIMENTS[name]
    app = open_page(experiment.section, link={"view": "Experiments", "experiment": name})
    assert experiment.question in [box.value for box in app.subheader]
    arm = experiment.arms[-1]
    app.button(key=f"open.{name}.{arm.name}").click().run()
    assert not app.exception
    assert app.session_state["view"] == "Train"
    chosen = app.session_state[f"{experiment.section}.{arm.network}.configuration"]
    assert chosen.run_config == arm.configuration.run_config
    assert not app.button(key="start").disabled


def test_a_link_to_an_experiment_of_another_page(open_page: Open) -> None:
    app = open_page("vgg", link={"view": "Experiments", "experiment": "relu-sigmoid"})
    assert not app.exception
    assert app.subheader[0].value == EXPERIMENTS["vgg-depth"].question


def test_inside_the_runs_of_an_observed_experiment(open_page: Open, store: RunStore) -> None:
    predicted_and_run(store, RELU, "first", ended=6)
    for run in store.runs(ME):
        values = {"gradient_norm": 0.1, "std": 1.0, "zeros": 0.5, "activations": [1] * 40}
        place = {"step": 1, "epoch": 0.0, "elapsed_s": 0.0, "kind": "layer_statistics"}
        store.append(run.id, [Measurement(**place, layer="conv1", values=values)])
    app = open_page("alexnet", "Experiments", **{"inside.relu-sigmoid.open": True})
    text = said(app)
    assert "the lighter, the more of its values lie there" in text
    assert len(app.selectbox(key="inside.relu-sigmoid.run").options) == 6
    app.selectbox(key="inside.relu-sigmoid.quantity").set_value("Share of zeros").run()
    assert not app.exception
    # Folded, nothing of it is drawn.
    app = open_page("alexnet", "Experiments")
    assert "the lighter" not in said(app)
