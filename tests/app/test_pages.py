"""Every page opens in every view, and says what it should."""

import re

import pytest

from cnnlab.catalog import NETWORKS, SECTIONS
from tests.app.conftest import Open, figures

VIEWS = ("Read", "Architecture", "Feature maps", "Train")


def problems(app: object) -> list[str]:
    """What a visitor would see go wrong."""
    return [box.value for box in [*app.exception, *app.error]]  # type: ignore[attr-defined]


def test_front_page_links_to_every_section(open_page: Open) -> None:
    app = open_page()
    assert not problems(app)
    text = " ".join(block.value for block in app.markdown)
    assert all(section.aim in text for section in SECTIONS.values())
    # A card each, and three to begin with.
    assert len(app.get("page_link")) == len(SECTIONS) + 3
    # One for a phone, one for a wide screen.
    assert len(app.get("plotly_chart")) == 2


@pytest.mark.parametrize("slug", SECTIONS)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens(open_page: Open, slug: str, view: str) -> None:
    app = open_page(slug, view)
    assert not problems(app)
    assert app.title[0].value == SECTIONS[slug].heading


@pytest.mark.parametrize("slug", SECTIONS)
def test_read_shows_the_text_and_its_figures(open_page: Open, slug: str) -> None:
    app = open_page(slug, "Read")
    shown = " ".join(block.value for block in app.markdown)
    assert "Sources:" in shown
    assert not re.search(r"\{(figure|experiment|bench|exercises)", shown)
    # Two networks side by side, a block beside its network, or one after the other.
    assert len(figures(app)) == (1 if slug == "batch_norm" else 2)
    # Sigmoid and ReLU; the bench of batch norm.
    assert len(app.get("plotly_chart")) == {"alexnet": 2, "batch_norm": 1}.get(slug, 0)


def test_figures_in_a_text_are_those_of_the_networks_it_describes(open_page: Open) -> None:
    block, network = figures(open_page("vgg", "Read"))
    # The channels of the text: 64 to 512, not the width that the book trains.
    assert "128" in network
    assert "512 channels" in network
    assert "convolution" in block
    kept, changed = re.findall(
        r"subgraph.*?end", figures(open_page("resnet", "Read"))[0], re.DOTALL
    )
    assert ["1×1" in group for group in sorted((kept, changed), key=len)] == [False, True]


@pytest.mark.parametrize("slug", SECTIONS)
def test_architecture_shows_figures_costs_table_and_code(open_page: Open, slug: str) -> None:
    app = open_page(slug, "Architecture")
    assert len(figures(app)) == (1 if slug == "batch_norm" else 2)
    assert len(app.get("plotly_chart")) == 1
    assert len(app.dataframe) == 1
    network = SECTIONS[slug].networks[0]
    source = NETWORKS[network].source_file.read_text(encoding="utf-8")
    assert source.strip() in [block.value.strip() for block in app.code]


def test_the_batch_norm_page_shows_the_layer_written_out(open_page: Open) -> None:
    app = open_page("batch_norm", "Architecture")
    assert any("class BatchNorm(nn.Module)" in block.value for block in app.code)


def test_parameters_are_those_of_the_chapter(open_page: Open) -> None:
    counts = {
        slug: open_page(slug, "Architecture").metric[0].value
        for slug in ("alexnet", "vgg", "nin", "resnet")
    }
    assert counts == {
        "alexnet": "46,764,746",
        "vgg": "128,806,154",
        "nin": "1,992,166",
        "resnet": "11,178,378",
    }


def test_a_changed_knob_changes_figure_table_and_totals(open_page: Open) -> None:
    app = open_page("resnet", "Architecture")
    before = app.metric[0].value, figures(app)[0], len(app.dataframe[0].value)
    app.selectbox(key="resnet.resnet.depth").set_value(34).run()
    after = app.metric[0].value, figures(app)[0], len(app.dataframe[0].value)
    assert not problems(app)
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_a_preset_sets_every_knob(open_page: Open) -> None:
    app = open_page("vgg", "Architecture")
    app.selectbox(key="vgg.vgg.preset").set_value("vgg19").run()
    assert not problems(app)
    assert app.metric[0].value == "143,667,240"
    assert app.selectbox(key="vgg.vgg.depth").value == 19


def test_what_runs_in_training_only_is_told_from_the_rest(open_page: Open) -> None:
    app = open_page("googlenet", "Architecture")
    assert not [block for block in app.caption if "training only" in block.value]
    app.toggle(key="googlenet.googlenet.auxiliary").set_value(True).run()
    assert not problems(app)
    (said,) = [block.value for block in app.caption if "auxiliary heads'" in block.value]
    # 128 channels of 512 and 528, then 2×2 of them to 1024 to 10, twice.
    assert said.startswith("1,204,500 parameters and 1,601,536 multiply-accumulates of these")


def test_a_picture_too_small_gets_a_sentence_with_the_smallest_size(open_page: Open) -> None:
    app = open_page("alexnet", "Architecture")
    app.slider(key="alexnet.alexnet.image_size").set_value(32).run()
    assert not app.exception
    assert "The smallest size that works is 65×65" in app.error[0].value


def test_another_network_on_the_batch_norm_page(open_page: Open) -> None:
    app = open_page("batch_norm", "Architecture")
    for network in SECTIONS["batch_norm"].networks:
        app.selectbox(key="network").set_value(network).run()
        assert not problems(app), network
