"""Training with several seeds: what is submitted, what is shown, and what Stop ends."""

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig
from cnnlab.training.estimate import Estimate
from pages.components import services
from tests.app.conftest import Open
from tests.app.runs_page import ME, add, add_group
from tests.present import present

Asked = list[tuple[str, object]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, store: RunStore) -> Asked:
    """What the page asks of the run manager; nothing is trained."""
    calls: Asked = []
    manager = services.run_manager()
    for name in ("submit", "submit_group", "stop", "stop_group"):

        def note(what: object, *_rest: object, name: str = name) -> str:
            calls.append((name, what))
            return ""

        monkeypatch.setattr(manager, name, note)
    speed = Estimate(precision="float32", step_s=1.0)
    monkeypatch.setattr(manager, "estimate", lambda _config: speed)
    monkeypatch.setattr(manager, "at_once", lambda _config: 2)
    assert not store.runs(ME)
    return calls


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def progress(app: AppTest) -> str:
    return str(app.get("progress")[0].proto.text)


def test_one_seed_is_a_run_and_more_are_a_group(open_page: Open, asked: Asked) -> None:
    app = press(open_page("batch_norm", "Train"), "start")
    (name, single) = asked.pop()
    assert (name, isinstance(single, RunConfig)) == ("submit", True)
    assert "seeds take" not in captions(app)
    app.segmented_control(key="seeds").set_value(6).run()
    assert "6 seeds take about" in captions(app)
    assert "2 at a time" in captions(app)
    press(app, "start")
    (name, group) = asked.pop()
    assert name == "submit_group"
    assert isinstance(group, list)
    assert group == [single.replace(seed=seed) for seed in range(6)]  # type: ignore[attr-defined]


def test_a_group_stands_as_one_line_and_one_stop_ends_it(
    open_page: Open, asked: Asked, store: RunStore
) -> None:
    add(store, "earlier", page="batch_norm")
    group, runs = add_group(store, "seeds", [None] * 4, page="batch_norm")
    app = open_page("batch_norm", "Train")
    assert "0 of 4 runs done · waiting for a free place" in progress(app)
    assert app.button(key="start").disabled
    press(app, "stop")
    assert asked == [("stop_group", group)]
    assert present(store.run(runs[0])).status == "queued"


def test_results_are_a_mean_and_a_spread_and_failures_say_why(
    open_page: Open, asked: Asked, store: RunStore
) -> None:
    _, runs = add_group(store, "seeds", [0.4, 0.6, None, None], page="batch_norm")
    store.started(runs[2], {})
    store.ended(runs[3], "failed", "The process broke off.")
    app = open_page("batch_norm", "Train")
    assert "3 of 4 runs done · 1 going on" in progress(app)
    table = app.dataframe[0].value
    assert table["Test accuracy"].tolist() == ["50.0 ± 14.1 %"]
    assert table["Lowest to highest"].tolist() == ["40.0% to 60.0%"]
    assert table["Finished"].tolist() == ["2 of 4"]
    assert app.error[0].value == "seed 3: The process broke off."
    assert len(app.get("plotly_chart")) == 2
    assert '"fill":"tonexty"' in app.get("plotly_chart")[1].proto.spec
    store.ended(runs[2], "cancelled")
    app.run()
    assert "Ended with failures · 2 of 4 runs came to their end" in progress(app)
    assert not app.button(key="start").disabled
    assert asked == []
