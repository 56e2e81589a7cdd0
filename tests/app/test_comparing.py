"""The curves of runs beside each other: which are drawn, how they are named, hidden and pinned."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.catalog import NETWORKS
from cnnlab.runs.store import RunStore
from pages.components import charts, curve_charts
from tests.app.conftest import Open
from tests.app.runs_page import add, open_runs

DARK = "#12161f"


def chart(app: AppTest, measure: str) -> dict[str, Any]:
    """A chart's description."""
    figures = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return next(f for f in figures if f["layout"]["yaxis"]["title"]["text"].startswith(measure))


def lines(app: AppTest, measure: str, kind: str) -> list[dict[str, Any]]:
    """The lines of one kind, the last one on top."""
    return [line for line in chart(app, measure)["data"] if line["meta"] == kind]


def boxes(app: AppTest) -> list[str]:
    """The names in the legend."""
    return [box.label for box in app.checkbox if str(box.key).startswith("shown_")]


def add_here(store: RunStore, name: str, **config: Any) -> str:
    """A run of the page on VGG as Train would start it, or changed."""
    small = NETWORKS["vgg"].presets["small"]
    return add(store, name, **{"network": "vgg", "options": small, "train_size": None, **config})


def test_a_curve_is_drawn_with_runs_of_its_network_and_pictures_only(
    store: RunStore, open_page: Open
) -> None:
    add_here(store, "other network", network="lenet", options=None)
    add_here(store, "other size", image_size=64)
    add_here(store, "fewer pictures", train_size=1000)
    for rate in (0.1, 0.2, 0.3):
        add_here(store, f"rate {rate}", lr=rate)
    app = open_page("vgg", "Train")
    assert not app.exception
    assert boxes(app) == ["rate 0.3", "rate 0.2", "rate 0.1"]
    for measure in ("loss", "accuracy"):
        for kind in ("training", "test", "raw"):
            assert len(lines(app, measure, kind)) == 3


def test_a_pinned_run_is_beside_every_curve(store: RunStore, open_page: Open) -> None:
    other = add_here(store, "LeNet", network="lenet", options=None)
    add_here(store, "VGG")
    app = open_page("vgg", "Train")
    assert boxes(app) == ["VGG"]
    app.multiselect(key="pins").set_value([other]).run()
    assert not app.exception
    assert [name.split(",")[0] for name in boxes(app)] == ["VGG", "LeNet"]
    app.multiselect(key="pins").set_value([]).run()
    assert boxes(app) == ["VGG"]


def test_a_box_hides_a_run_in_both_charts(store: RunStore, open_page: Open) -> None:
    first, _ = (add_here(store, f"rate {rate}", lr=rate) for rate in (0.1, 0.2))
    app = open_page("vgg", "Train")
    app.checkbox(key=f"shown_{first}").uncheck().run()
    for measure in ("loss", "accuracy"):
        assert [line["name"] for line in lines(app, measure, "test")] == ["rate 0.2"]
    app.checkbox(key=f"shown_{first}").check().run()
    assert len(lines(app, "loss", "test")) == 2


def test_a_colour_stays_with_its_run(store: RunStore, open_page: Open) -> None:
    def colours(app: AppTest) -> dict[str, str]:
        return {line["name"]: line["line"]["color"] for line in lines(app, "loss", "training")}

    for rate in (0.1, 0.2, 0.3):
        add_here(store, f"rate {rate}", lr=rate)
    app = open_page("vgg", "Train")
    before = colours(app)
    assert len(set(before.values())) == 3
    for rate in (0.4, 0.5, 0.6):
        add_here(store, f"rate {rate}", lr=rate)
        after = colours(app.run())
        assert len(set(after.values())) == len(after)
        assert all(before[name] == colour for name, colour in after.items() if name in before)
        before |= after


def test_a_changed_knob_makes_the_newest_run_an_earlier_one(
    store: RunStore, open_page: Open
) -> None:
    epochs = NETWORKS["vgg"].quick.epochs
    add_here(store, "as chosen", epochs=epochs)
    app = open_page("vgg", "Train")
    spoken = app.get("progress")[0].proto.text
    assert spoken == "as chosen · Finished"
    assert lines(app, "loss", "training")[-1]["opacity"] == 1
    app.selectbox(key="vgg.vgg.epochs").set_value(str(epochs + 3)).run()
    assert "as chosen · Finished, earlier" in app.get("progress")[0].proto.text
    assert lines(app, "loss", "training")[-1]["opacity"] < 1


def test_points_say_what_they_are(store: RunStore, open_page: Open) -> None:
    add_here(store, "<b>mine</b> %{x}")
    app = open_page("vgg", "Train")
    line = lines(app, "accuracy", "test")[0]
    assert line["name"] == "&lt;b&gt;mine&lt;/b&gt; %{x}"
    assert line["hovertemplate"] == (
        "%{fullData.name}<br>step %{customdata} · test accuracy %{y:.1%}<extra></extra>"
    )
    assert line["mode"] == "lines+markers"
    assert lines(app, "accuracy", "training")[0]["mode"] == "lines"


def test_unfair_pairs_are_named(store: RunStore, open_page: Open) -> None:
    for optimizer in ("sgd", "adam"):
        add_here(store, optimizer, optimizer=optimizer)
    app = open_page("vgg", "Train")
    assert any("not a fair pair" in caption.value for caption in app.caption)
    assert any("Dots: test" in caption.value for caption in app.caption)
    app = open_runs([run.id for run in store.runs("me")])
    assert any("not a fair pair" in warning.value for warning in app.warning)


def luminance(colour: str, opacity: float = 1.0) -> float:
    """Relative luminance of a colour over the dark page (WCAG 2)."""
    found = 0.0
    for share, at in ((0.2126, 1), (0.7152, 3), (0.0722, 5)):
        part, back = (int(name[at : at + 2], 16) for name in (colour, DARK))
        value = (opacity * part + (1 - opacity) * back) / 255
        found += share * (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)
    return found


@pytest.mark.parametrize("colour", charts.SERIES)
def test_in_the_dark_no_earlier_run_is_brighter_than_the_current_one(colour: str) -> None:
    earlier = max(luminance(other, curve_charts.FAINT) for other in charts.SERIES)
    assert luminance(colour) > 1.5 * earlier
