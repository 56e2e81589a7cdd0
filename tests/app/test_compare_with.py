"""A second network beside the page's: off, pinned, a preset, another network, by a link."""

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.catalog import NETWORKS, SECTIONS
from cnnlab.configuration import Configuration, from_line
from pages.components import differences
from tests.app.conftest import Open, figures
from tests.app.test_configuration import in_view

CHOICE, PIN = "compare_with", "pin"


def choice(app: AppTest, page: str, network: str = "") -> str:
    return str(app.selectbox(key=f"{page}.{network or page}.{CHOICE}").value)


def compare(app: AppTest, page: str, line: str) -> AppTest:
    app.selectbox(key=f"{page}.{page}.{CHOICE}").set_value(line).run()
    assert not [*app.exception, *app.error]
    return app


def captions(app: AppTest) -> str:
    return " ".join(box.value for box in app.caption)


def test_nothing_is_compared_until_somebody_asks(open_page: Open) -> None:
    app = open_page("vgg", "Architecture")
    assert choice(app, "vgg") == ""
    assert not any(box.delta for box in app.metric)
    assert len(app.dataframe) == 1
    assert "compare" not in app.query_params


def test_what_is_pinned_is_what_every_knob_is_held_against(open_page: Open) -> None:
    app = open_page("vgg", "Architecture")
    app.button(key="vgg.vgg.pin").click().run()
    assert not [*app.exception, *app.error]
    assert [box.delta for box in app.metric] == ["the same"] * 3
    assert "Both are the same network" in captions(app)
    app.selectbox(key="vgg.vgg.depth").set_value(13).run()
    # 64×64 and 128×128 pairs of channels, nine weights each, and the biases.
    more = 9 * 64**2 + 64 + 9 * 128**2 + 128
    assert app.metric[0].delta.startswith(f"+{more:,} ")
    assert "depth 11 → 13" in captions(app)
    table = app.dataframe[0].value
    assert list(table["Layer"]) == ["block1.conv2", "block1.act2", "block2.conv2", "block2.act2"]
    assert set(table["Change"]) == {"+ new"}
    assert table["Parameters ±"].sum() == more
    app.toggle(key="all_layers").set_value(True).run()
    assert app.dataframe[0].value["Parameters before"].sum() == 128_806_154
    # Both networks, and a block of both.
    titles = [box.value for box in app.subheader]
    assert [t for t in titles if t.startswith(("Before: ", "Now: "))] == [
        "Before: VGG-11 from input to output",
        "Now: VGG-13 from input to output",
    ] + [
        f"{side}: VGG block of VGG-{depth} in detail"
        for side, depth in (("Before", 11), ("Now", 13))
    ]
    assert any("≠ VGG block" in source for source in figures(app))


def test_what_was_pinned_stays_a_choice_and_the_view_is_as_before_without(open_page: Open) -> None:
    app = open_page("resnet", "Architecture")
    app.toggle(key="resnet.resnet.skip").set_value(False).run()
    app.button(key="resnet.resnet.pin").click().run()
    assert choice(app, "resnet") == "resnet.d2l~skip=false"
    compare(app, "resnet", "resnet.resnet50")
    assert "resnet.d2l~skip=false" in app.session_state["resnet.resnet.pinned"]
    compare(app, "resnet", "resnet.d2l~skip=false")
    assert app.selectbox(key="resnet.resnet.compare_with").options[1] == (
        "Pinned: The book's, no skip connections"
    )
    compare(app, "resnet", "")
    assert not any(box.delta for box in app.metric)
    assert "compare" not in app.query_params


@pytest.mark.parametrize("page", SECTIONS)
def test_every_preset_of_a_page_can_be_compared_with(open_page: Open, page: str) -> None:
    network = SECTIONS[page].networks[0]
    app = open_page(page, "Architecture")
    for preset in NETWORKS[network].presets:
        app.selectbox(key=f"{page}.{network}.{CHOICE}").set_value(f"{network}.{preset}").run()
        assert not [*app.exception, *app.error, *app.warning], preset
        assert all(box.delta for box in app.metric), preset
        assert len(figures(app)) >= 2


def test_another_network_of_the_page_is_a_choice(open_page: Open) -> None:
    app = open_page("alexnet", "Architecture")
    compare(app, "alexnet", "lenet.d2l")
    assert "Before: LeNet" in captions(app)
    titles = [box.value for box in app.subheader]
    assert "Before: LeNet from input to output" in titles
    assert "Now: AlexNet from input to output" in titles
    app = open_page("batch_norm", "Architecture")
    offered = app.selectbox(key=f"batch_norm.lenet.{CHOICE}").options
    assert {NETWORKS[name].title for name in SECTIONS["batch_norm"].networks[1:]} <= set(offered)


def test_a_link_restores_what_is_compared_and_other_views_keep_it(open_page: Open) -> None:
    line = "vgg.d2l~depth=16~image_size=96"
    link = {"compare": line, "preset": "d2l", "depth": "13"}
    app = open_page("vgg", "Architecture", link=link)
    assert not [*app.exception, *app.error, *app.warning]
    assert choice(app, "vgg") == line
    assert app.query_params == {"view": "Architecture", **link}
    in_view(app, "Train")
    in_view(app, "Architecture")
    assert choice(app, "vgg") == line
    assert "depth 16 → 13, input size 96 → 224" in captions(app)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("vgg.vgg12", "has no preset 'vgg12'"),
        ("bert.d2l", "no network 'bert'"),
        ("vgg.d2l~depth=12", "it can be 8, 11"),
        ("vgg.d2l~wings=2", "has no setting 'wings'"),
        ("vgg.d2l~" * 200, "no network takes that many words"),
    ],
)
def test_a_link_that_cannot_be_compared_is_answered(open_page: Open, line: str, said: str) -> None:
    app = open_page("vgg", "Architecture", link={"compare": line})
    assert not [*app.exception, *app.error]
    (warning,) = [box.value for box in app.warning if "link" in box.value]
    assert said in warning
    assert choice(app, "vgg") == ""
    assert "compare" not in app.query_params


def test_what_does_not_fit_its_own_picture_cannot_be_compared(open_page: Open) -> None:
    app = open_page("alexnet", "Architecture", link={"compare": "alexnet.d2l~image_size=32"})
    assert not app.exception
    (error,) = app.error
    assert "It cannot be compared" in error.value
    assert "The smallest size that works is 65×65" in error.value
    # The page's own network is there all the same.
    assert app.metric[0].value == "46,764,746"
    assert figures(app)


def test_a_comparison_is_made_once_for_all_visitors(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Configuration] = []
    make = differences.make

    def noted(now: Configuration, against: Configuration) -> differences.Comparison:
        made.append(now)
        return make(now, against)

    monkeypatch.setattr(differences, "make", noted)
    link = {
        "preset": "small",
        "image_size": "45",
        "compare": "resnet.small~image_size=45~skip=false",
    }
    first = open_page("resnet", "Architecture", link=link)
    second = open_page("resnet", "Architecture", link=link)
    assert len(made) == 1
    shared = differences.of(made[0], from_line(link["compare"]))
    before = as_text(shared)
    second.toggle(key="all_layers").set_value(True).run()
    assert len(second.dataframe[0].value) > len(first.dataframe[0].value) > 0
    assert [box.delta for box in second.metric] == [box.delta for box in first.metric]
    assert len(made) == 1
    assert as_text(shared) == before, "no page changes what all share"
    first.slider(key="resnet.resnet.image_size").set_value(46).run()
    assert len(made) == 2
    assert made[1].image_size == 46
    assert 0 < differences.kept().weight <= differences.kept().limit == differences.MOST_BYTES


def as_text(found: differences.Comparison) -> str:
    """Everything that is shared."""
    tables = [(one.table.to_csv(), dict(one.columns)) for one in (found.differing, found.every)]
    return repr([found.totals, found.tally, found.figures, tables])
