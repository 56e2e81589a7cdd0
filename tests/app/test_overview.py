"""What Architecture draws of a configuration is made once for all visitors, and left as it is."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from cnnlab import diagrams
from cnnlab import trace as tracing
from cnnlab.catalog import NETWORKS, SECTIONS
from cnnlab.kept import Kept
from pages.components import block_links, home, layer_table, overview
from pages.components.network_choice import Configured
from pages.components.overview import Overview
from tests.app.conftest import Open

# A configuration that no other test opens.
LINK = {"preset": "small", "image_size": "47"}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a part was made since the test began, with nothing kept before it."""
    # The front page, from which a test comes, traces all networks once.
    home.cost_charts()
    counts: Counter[str] = Counter()
    kept = Kept[Overview](overview.MOST_BYTES, lambda one: one.nbytes)
    monkeypatch.setattr(overview, "kept", lambda: kept)
    traces = Kept[tracing.Trace](tracing.MOST_NODES, lambda found: len(found.nodes))
    monkeypatch.setattr(tracing, "_TRACES", traces)
    for part in (
        (tracing, "recorded"),
        (diagrams, "figures"),
        (layer_table, "frame"),
        (layer_table, "cost_per_layer"),
        (layer_table, "layer_table_csv"),
        (block_links, "last_layers"),
    ):
        module, name = part
        monkeypatch.setattr(module, name, counted(counts, name, getattr(module, name)))
    return counts


def counted(counts: Counter[str], name: str, make: Callable[..., Any]) -> Callable[..., Any]:
    def call(*given: Any, **named: Any) -> Any:
        counts[name] += 1
        return make(*given, **named)

    return call


def test_a_second_visitor_has_nothing_built_again(open_page: Open, made: Counter[str]) -> None:
    first = open_page("resnet", "Architecture", link=LINK)
    assert set(made.values()) == {1}
    assert len(made) == 6
    # Not even if nobody remembers how the network ran.
    tracing._TRACES = Kept(tracing.MOST_NODES)
    first.run()
    second = open_page("resnet", "Architecture", link=LINK)
    assert set(made.values()) == {1}
    for app in (first, second):
        assert not app.exception
        assert [box.value for box in app.metric] == [box.value for box in first.metric]
        assert len(app.dataframe[0].value) == len(first.dataframe[0].value) > 10


def test_a_knob_builds_what_it_changes_and_back_is_known(
    open_page: Open, made: Counter[str]
) -> None:
    app = open_page("resnet", "Architecture", link=LINK)
    before = app.metric[1].value
    app.slider(key="resnet.resnet.image_size").set_value(53).run()
    assert app.metric[1].value != before
    assert set(made.values()) == {2}
    app.slider(key="resnet.resnet.image_size").set_value(47).run()
    assert app.metric[1].value == before
    assert set(made.values()) == {2}


def test_a_row_is_opened_from_the_trace(open_page: Open, made: Counter[str]) -> None:
    app = open_page("resnet", "Architecture", link=LINK)
    tracing._TRACES = Kept(tracing.MOST_NODES)
    app.selectbox(key="explained_layer").set_value("stem.conv").run()
    assert any("With numbers" in box.value for box in app.markdown)
    assert made == Counter({name: 2 if name == "recorded" else 1 for name in made})


def test_train_traces_only_what_it_trains(open_page: Open, made: Counter[str]) -> None:
    """The size of the network that its stand-in is compared with is known from Architecture."""
    app = open_page("alexnet", "Architecture", link={"preset": "torchvision", "dropout": "0.35"})
    traced = made["recorded"]
    app.query_params["view"] = app.session_state["view"] = "Train"
    app.run()
    assert any("stand-in: " in box.value for box in app.caption)
    assert made["recorded"] == traced + 1


def test_what_cannot_be_built_is_tried_once(open_page: Open, made: Counter[str]) -> None:
    for _ in range(2):
        app = open_page("nin", "Architecture", link={"image_size": "9"})
        (error,) = app.error
        assert "The smallest size that works" in error.value
        app.run()
    assert made["recorded"] == 1
    assert made["figures"] == 0


@pytest.mark.parametrize("page", SECTIONS)
@pytest.mark.usefixtures("made")
def test_no_page_changes_what_all_share(open_page: Open, page: str) -> None:
    section = SECTIONS[page]
    spec = NETWORKS[section.networks[0]]
    options, size = spec.presets["small"], spec.preset_image_size("small")
    shared = overview.of(section, Configured(spec, options, size))
    before = as_text(shared)
    app = open_page(page, "Architecture", link={"preset": "small"})
    app.selectbox(key="explained_layer").set_value(shared.table.names[0]).run()
    app.button(key=f"{page}.{spec.name}.pin").click().run()
    assert not [*app.exception, *app.error]
    assert overview.of(section, Configured(spec, options, size)) is shared
    assert as_text(shared) == before


def as_text(found: Overview) -> str:
    """Everything that is shared."""
    table = found.table
    values = [
        dict(found.blocks),
        dict(table.columns),
        table.chart.to_dict(),
        table.rows.to_csv(),
    ]
    return repr([found.totals, found.figures, table.names, table.sums, table.csv, *values])


def test_what_is_kept_is_bounded() -> None:
    kept = overview.kept()
    spec = NETWORKS["densenet"]
    for size in (64, 65):
        overview.of(SECTIONS["densenet"], Configured(spec, spec.presets["densenet121"], size))
    assert kept.limit == overview.MOST_BYTES
    # 364 layers: the CSV alone has some 20 kB.
    assert 2 * 100_000 < kept.weight <= kept.limit
