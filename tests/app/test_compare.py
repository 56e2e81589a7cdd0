"""The Compare page: the table, the bubbles, and a race in each of its states."""

from collections.abc import Sequence

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.catalog import NETWORKS
from cnnlab.compare.contenders import Contender, contenders
from cnnlab.compare.published import PUBLISHED
from cnnlab.compare.race import Race
from cnnlab.compare.rows import rows
from cnnlab.compare.standings import ONE_SEED, STOPPED
from cnnlab.runs.store import RunStore
from cnnlab.training.config import RunConfig
from cnnlab.training.estimate import Estimate
from pages.components import compare_table, race, services
from tests.app.runs_page import ME, add, train
from tests.conftest import ROOT

SPEED = Estimate(precision="float32", step_s=0.032, test_image_s=0.0002)
THREE = tuple(Contender(name) for name in ("lenet", "vgg", "resnet"))


@pytest.fixture(autouse=True)
def speeds(monkeypatch: pytest.MonkeyPatch, store: RunStore) -> None:  # noqa: ARG001
    """All networks are as fast, and nothing is measured."""
    monkeypatch.setattr(services.run_manager(), "estimate", lambda _config: SPEED)


def open_compare(**widgets: object) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=200)
    app.run()
    app.switch_page("pages/workbench/compare.py")
    for key, value in widgets.items():
        app.session_state[key.replace("__", ".")] = value
    return app.run()


def said(app: AppTest) -> str:
    assert not app.exception, [box.value for box in app.exception]
    boxes = (*app.markdown, *app.caption, *app.info, *app.warning, *app.error)
    bars = [bar.proto.text for bar in app.get("progress")]
    return " ".join([*(box.value for box in boxes), *bars])


def add_race(
    store: RunStore, accuracies: Sequence[float | None], equal: str = "steps"
) -> list[str]:
    """A race of three of which those with an accuracy have finished."""
    amount = {"steps": 100, "time": 10}[equal]
    found = Race(THREE, "shapes", equal, amount)  # type: ignore[arg-type]
    configs = found.configs(lambda _: SPEED)
    names = [f"run {number}" for number in range(3)]
    _, runs = store.add_group(configs, ME, race.PAGE, found.name, names)
    for run, accuracy in zip(runs, accuracies, strict=True):
        if accuracy is not None:
            store.started(run, {"device": "cpu", "precision": "float32"})
            train(store, run, accuracy)
    return runs


def test_every_network_is_a_row_with_what_is_known_of_it(store: RunStore) -> None:
    config = Contender("lenet").config("shapes")
    run = store.add(config, ME, "alexnet", "my LeNet")
    store.ended(run, "finished", figures={"test_accuracy": 0.875})
    table = open_compare().dataframe[0].value
    assert list(table["network"]) == [spec.title for spec in NETWORKS.values()]
    assert (table["accuracy"][0], table["by"][0]) == (87.5, "your run")
    assert table["predict"][0] == pytest.approx(0.2)
    assert table["train"][0] == pytest.approx(0.5)
    counted = rows("small", "shapes", [], None)
    assert list(table["params"]) == [row.params for row in counted]
    assert list(table["macs"]) == [row.macs for row in counted]


def test_a_speed_that_is_not_known_is_a_dash_and_comes_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services.run_manager(), "estimate", lambda _config: None)
    app = open_compare()
    assert "**7 are still to come.**" in said(app)
    assert "is measured as soon as the machine is free" in said(app)
    # Against the clock a race is planned by the speeds; on equal steps it is not.
    assert app.button(key="race_start").disabled
    app.segmented_control(key="race.equal").set_value("steps").run()
    assert not app.button(key="race_start").disabled
    assert app.dataframe[0].value["predict"].isna().all()
    monkeypatch.setattr(services.run_manager(), "estimate", lambda _config: SPEED)
    app.run()
    assert "still to come" not in said(app)
    assert app.dataframe[0].value["predict"].notna().all()


def test_the_full_networks_are_measured_on_request() -> None:
    app = open_compare()
    app.segmented_control(key="compare.size").set_value("full").run()
    table = app.dataframe[0].value
    assert list(table["network"]) == [one.title for one in contenders("full")]
    assert table["predict"].isna().all()
    assert "still to come" not in said(app)
    app.toggle(key=compare_table.MEASURE).set_value(True).run()
    assert app.dataframe[0].value["predict"].notna().all()


def test_the_axes_of_the_bubbles() -> None:
    app = open_compare()
    app.segmented_control(key="compare.size").set_value("full").run()
    app.selectbox(key="compare.dataset").set_value("fashion_mnist").run()
    app.selectbox(key="compare.y.full").set_value("accuracy").run()
    # The book has published no accuracy of these.
    assert "Not drawn, for a figure is not known: AlexNet, torchvision's, VGG-11" in said(app)
    app.selectbox(key="compare.y.full").set_value("params").run()
    app.selectbox(key="compare.x").set_value("memory").run()
    assert "Not drawn" not in said(app)
    assert len(app.get("plotly_chart")) == 2


def test_where_no_accuracy_is_known_it_is_said_instead_of_an_empty_chart() -> None:
    app = open_compare(compare__dataset="cifar10")
    assert not app.get("plotly_chart")
    assert "Nothing to draw on CIFAR-10 yet: of no network both are known" in said(app)
    # The full networks open with what is known of all of them.
    app.segmented_control(key="compare.size").set_value("full").run()
    assert len(app.get("plotly_chart")) == 2


def test_published_figures_stand_beside_ours() -> None:
    table = open_compare().dataframe[-1].value
    assert len(table) == len(PUBLISHED)
    assert list(table["Parameters, published"]) == list(table["Parameters, here"])
    assert "Dive into Deep Learning 0.17.6, section 7.2" in list(table["Source"])


def test_a_race_is_chosen_started_and_stopped(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted: list[tuple[list[RunConfig], str, str, str]] = []

    def submit(
        configs: list[RunConfig], visitor: str, page: str, name: str, titles: list[str]
    ) -> str:
        submitted.append((configs, visitor, page, name))
        return store.add_group(configs, visitor, page, name, titles)[0]

    monkeypatch.setattr(services.run_manager(), "submit_group", submit)
    app = open_compare()
    assert "Curves and results of your race will stand here." in said(app)
    assert app.button(key="race_stop").disabled
    # 20 s for each of three, and 2,000 test pictures of 0.2 ms after that.
    assert "for all" in said(app)
    app.multiselect(key="race.small").set_value(["nin-small"]).run()
    assert "2 to 7 different networks; 1 were given" in said(app)
    assert app.button(key="race_start").disabled
    app.multiselect(key="race.small").set_value(["nin-small", "densenet-small"]).run()
    app.segmented_control(key="race.equal").set_value("steps").run()
    assert "equal steps are equal images here" in said(app)
    app.select_slider(key="race.amount.steps").set_value(50).run()
    app.button(key="race_start").click().run()
    ((configs, visitor, page, name),) = submitted
    assert [config.network for config in configs] == ["nin", "densenet"]
    assert (visitor, page, name) == (ME, race.PAGE, "Race of 2, 50 steps each")
    # It waits: one Stop, no second race beside it.
    assert "Race of 2, 50 steps each on Shapes: 0 of 2 runs done" in said(app)
    assert app.button(key="race_start").disabled
    assert list(app.dataframe[1].value["State"]) == ["Waiting", "Waiting"]
    assert ONE_SEED not in said(app)
    app.button(key="race_stop").click().run()
    # Another server's, as the manager sees it: it says so instead of breaking.
    assert not app.exception


def test_a_race_goes_on(store: RunStore) -> None:
    runs = add_race(store, [0.5, None, None], "time")
    store.started(runs[1], {})
    train(store, runs[1], 0.7, ending=None)
    app = open_compare()
    assert "1 of 3 runs done · 1 going on" in said(app)
    # Its only finished run counts as whole, one as 3 of its 10 seconds.
    assert app.get("progress")[0].proto.value == pytest.approx(43, abs=1)
    table = app.dataframe[1].value
    assert list(table["Network"]) == ["VGG", "LeNet", "ResNet"]
    assert list(table["State"]) == ["Running", "Finished", "Waiting"]
    assert app.segmented_control(key="race.axis.time").value == "seconds"
    assert "came first" not in said(app)


def test_a_race_that_has_ended_says_who_came_first_and_what_that_is_worth(store: RunStore) -> None:
    add_race(store, [0.5, 0.7, 0.8])
    app = open_compare()
    text = said(app)
    assert "**ResNet** came first: 80.0% of the 2,000 test pictures, 10.0 points before VGG" in text
    assert ONE_SEED in text
    assert list(app.dataframe[1].value["Test accuracy"]) == [80, 70, 50]
    assert not app.button(key="race_start").disabled
    app.segmented_control(key="race.axis.images").set_value("seconds").run()
    assert not app.exception


def test_a_stopped_race_and_one_that_could_not_go_on(store: RunStore) -> None:
    runs = add_race(store, [0.5, 0.7, None])
    store.ended(runs[2], "cancelled")
    assert STOPPED in said(open_compare())
    for run in runs:
        store.delete(run)
    runs = add_race(store, [0.5, 0.7, None])
    store.ended(runs[2], "failed", "The loss ran away.")
    text = said(open_compare())
    assert "ResNet: The loss ran away." in text
    assert "Could not go on: ResNet." in text


def test_a_race_of_too_long_runs_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Estimate(precision="float32", step_s=100.0, test_image_s=0.1)
    monkeypatch.setattr(services.run_manager(), "estimate", lambda _config: slow)
    app = open_compare(race__equal="steps")
    assert "LeNet, VGG, ResNet would be stopped after 30 min" in said(app)
    assert app.button(key="race_start").disabled


def test_a_network_that_cannot_be_trained_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Estimate(problem="The memory is full.")
    monkeypatch.setattr(services.run_manager(), "estimate", lambda _config: broken)
    text = said(open_compare())
    assert "LeNet: The memory is full." in text
    assert "machine is free" not in text


def test_a_data_set_that_is_not_there_is_offered_and_the_table_stands() -> None:
    app = open_compare(compare__dataset="cifar10")
    assert "race_start" not in {button.key for button in app.button}
    assert "download.cifar10" in {button.key for button in app.button}
    assert len(app.dataframe[0].value) == len(NETWORKS)


def test_other_runs_of_the_visitor_are_no_race(store: RunStore) -> None:
    add(store, "a run of mine", 0.5)
    assert "will stand here" in said(open_compare())


def test_an_address_opens_with_the_race_that_was_chosen() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=200)
    app.run()
    app.switch_page("pages/workbench/compare.py")
    app.query_params["race.small"] = ["NiN", "DenseNet", "nobody"]
    app.query_params["race.equal"] = "Equal steps"
    app.query_params["race.amount.steps"] = "50"
    app.run()
    assert not app.exception
    assert app.segmented_control(key="race.equal").value == "steps"
    assert app.select_slider(key="race.amount.steps").value == 50
    assert app.multiselect(key="race.small").value == ["nin-small", "densenet-small"]
