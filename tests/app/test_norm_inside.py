"""Batch norm inside a run: what was observed of it is drawn beside the curves."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.catalog import NETWORKS
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig, train
from cnnlab.training.events import Measurement
from cnnlab.training.probes.batch_norm import BatchNormProbe
from pages.components import inside_run, seeds
from tests.app.conftest import Open
from tests.app.runs_page import ME

OPEN = {"inside.norm.open": True}


def config(**changes: Any) -> RunConfig:
    options = (
        NETWORKS["lenet"]
        .preset("small")
        .replace(batch_norm=True, in_channels=3, **changes.pop("knobs", {}))
    )
    return RunConfig(
        network="lenet",
        options=options,
        dataset="shapes",
        train_size=64,
        batch_size=16,
        epochs=1,
        evaluate="end",
        image_size=32,
        probes=(BatchNormProbe(),),
        **changes,
    )


@pytest.fixture
def run(store: RunStore) -> str:
    """A run with what was observed of it."""
    return added(store, config())


def added(store: RunStore, given: RunConfig) -> str:
    name = store.add(given, ME, "batch_norm", "LeNet")
    store.started(name, {"device": "cpu", "precision": "float32"})
    store.append(name, [one for one in train(given) if isinstance(one, Measurement)])
    store.ended(name, "finished", figures={})
    return name


def drawn(app: AppTest) -> dict[str, Any]:
    """The charts of batch norm by what their y axis says."""
    assert not app.exception, [box.value for box in app.exception]
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return {
        spec["layout"]["yaxis"]["title"]["text"]: spec["data"]
        for spec in specs
        if spec["layout"]["xaxis"]["title"]["text"] == "step"
    }


def test_a_layer_and_a_channel_are_chosen(open_page: Open, store: RunStore, run: str) -> None:
    app = open_page("batch_norm", "Train", **OPEN)
    assert list(drawn(app)) == ["mean", "variance", "γ, the scale", "β, the shift"]
    measured = store.measurements(run, "batch_norm")
    app.selectbox(key="inside.norm.layer").set_value("norm2").run()
    app.selectbox(key="inside.norm.channel.norm2").set_value(5).run()
    found = drawn(app)
    by_step: list[Any] = [one.values for one in measured if one.layer == "norm2"]
    for title, of_batch, of_layer in (
        ("mean", "batch_mean", "running_mean"),
        ("variance", "batch_var", "running_var"),
    ):
        batch, running = found[title][-2:]
        assert batch["name"] == "batch"
        assert batch["y"] == pytest.approx([v[of_batch][5] for v in by_step], rel=1e-3)
        assert running["y"] == pytest.approx([v[of_layer][5] for v in by_step], rel=1e-3)
    low, high = found["γ, the scale"][:2]
    assert low["y"] == pytest.approx([min(v["gamma"]) for v in by_step], rel=1e-3)
    assert high["y"] == pytest.approx([max(v["gamma"]) for v in by_step], rel=1e-3)


def test_frozen_batch_norm_has_nothing_that_is_learned(open_page: Open, store: RunStore) -> None:
    added(store, config(knobs={"norm": "frozen"}))
    assert list(drawn(open_page("batch_norm", "Train", **OPEN))) == ["mean", "variance"]


def test_folded_or_not_observed_nothing_is_drawn(
    open_page: Open, store: RunStore, run: str
) -> None:
    assert drawn(open_page("batch_norm", "Train")) == {}
    store.delete(run)
    added(store, config().replace(probes=()))
    assert drawn(open_page("batch_norm", "Train", **OPEN)) == {}


@pytest.mark.parametrize(("batch_norm", "kinds"), [("true", 2), ("false", 1)])
def test_the_switch_observes_batch_norm_where_there_is_one(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, batch_norm: str, kinds: int
) -> None:
    begun: list[RunConfig] = []
    monkeypatch.setattr(seeds, "start", lambda config, _page: begun.append(config))
    app = open_page("batch_norm", "Train", link={"batch_norm": batch_norm})
    app.toggle(key=inside_run.KEY).set_value(True).run()
    app.button(key="start").click().run()
    assert [probe.kind for probe in begun[0].probes] == ["layer_statistics", "batch_norm"][:kinds]
