"""The weights of the Feature maps view: trained ones first, and the ways from and to them."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab import catalog, checkpoints, images
from cnnlab.checkpoints import Shipped
from cnnlab.configuration import Configuration
from cnnlab.errors import WeightsError
from cnnlab.runs.store import RunStore
from pages.components import block_links, links
from tests.app.conftest import Open
from tests.app.maps_page import add_trained, alts, drawn_all, fine, mosaic_alt, texts
from tests.app.runs_page import open_runs

SMALL = "small-fashion_mnist"
KINDS = ("Trained", "Fresh", "My last run")


def lenet() -> Shipped:
    return next(one for one in checkpoints.shipped("lenet") if one.preset == "small")


def says(app: AppTest) -> str:
    """What the network says, without its share."""
    return next(box.value for box in app.markdown if box.value.startswith("It "))


def test_a_new_visitor_sees_a_trained_network_and_what_it_says_of_a_picture(
    open_page: Open,
) -> None:
    home = open_page()
    links_on = [link.proto for link in home.get("page_link")]
    assert any("trained network sees" in link.label for link in links_on)
    app = open_page("alexnet", "Feature maps", network="lenet")
    assert fine(app)
    assert str(app.selectbox(key="weights").value).endswith("fashion_mnist")
    assert "**Trained on Fashion-MNIST**" in texts(app)
    assert "of its test pictures right" in texts(app)
    assert alts(app)[0] == "Original: ankle boot"
    assert says(app).startswith("It says **Ankle boot**")


def test_it_says_most_clothes_right(open_page: Open) -> None:
    app = open_page("batch_norm", "Feature maps", weights=SMALL)
    clothes = [sample for sample in images.samples() if sample.dataset == "fashion_mnist"]
    right = 0
    for sample in clothes:
        app.selectbox(key="sample").set_value(sample.name).run()
        right += says(app).startswith(f"It says **{sample.title}**")
    assert right >= 8


def test_fresh_trained_and_the_last_run_are_a_click_apart(open_page: Open, store: RunStore) -> None:
    run = add_trained(store, "LeNet, mine", 0.8)
    app = open_page("batch_norm", "Feature maps", weights=SMALL)

    def offered() -> set[str]:
        return {title for title in KINDS if any(b.key == f"weights.{title}" for b in app.button)}

    assert offered() == {"Fresh", "My last run"}
    app.button(key="weights.Fresh").click().run()
    assert "this network has learned nothing" in texts(app)
    assert offered() == {"Trained", "My last run"}
    app.button(key="weights.My last run").click().run()
    assert app.selectbox(key="weights").value == run
    assert offered() == {"Trained", "Fresh"}
    app.button(key="weights.Trained").click().run()
    assert fine(app)
    assert str(app.selectbox(key="weights").value).endswith("fashion_mnist")
    assert "It says **" in says(app)
    assert offered() == {"Fresh", "My last run"}


def test_other_knobs_show_the_network_that_they_describe(open_page: Open) -> None:
    app = open_page("batch_norm", "Feature maps", {"preset": "small", "channels1": "8"})
    assert fine(app)
    assert app.selectbox(key="weights").value == "fresh"
    assert "All 8 channels of conv1" in mosaic_alt(app)


def test_what_an_exercise_describes_is_shown_with_fresh_weights(open_page: Open) -> None:
    app = open_page("densenet", "Read", weights=SMALL)
    described = Configuration("densenet", "small")
    query = links.link("densenet", links.MAPS, described)
    app = open_page("densenet", link=query)
    assert fine(app)
    assert "this network has learned nothing" in texts(app)


def test_side_by_side_shows_a_layer_under_two_weights(open_page: Open) -> None:
    app = open_page("batch_norm", "Feature maps", weights=SMALL, weights_beside="fresh")
    assert fine(app)
    headers = [name for name, _ in drawn_all(app)]
    assert headers.count("cnnlab_mosaic") == 2
    assert headers.count("cnnlab_channel") == 2
    said = [box.value for box in app.markdown if box.value.startswith("**")]
    assert any("The same network, fresh" in one and "It guesses" in one for one in said)
    first, second = (header for name, header in drawn_all(app) if name == "cnnlab_mosaic")
    assert first["layer"] == second["layer"] == "conv1"
    assert first["channels"] != second["channels"]
    app.selectbox(key="weights").set_value("fresh").run()
    assert fine(app), "fresh weights are not held against themselves"
    assert app.selectbox(key="weights_beside").value == "nothing"


def test_a_value_is_taken_from_the_side_that_was_clicked(open_page: Open) -> None:
    app = open_page("batch_norm", "Feature maps", weights=SMALL, weights_beside="fresh")
    app.session_state["value_taken"] = ("conv1", 5, 7)
    said = []
    for side in ("", "_beside"):
        app.session_state["value_taken_in"] = side
        app.run()
        assert fine(app)
        said.append(texts(app))
    assert "Of the two: Trained on Fashion-MNIST: small" in said[0]
    assert "Of the two: The same network, fresh" in said[1]
    values = [re.findall(r"row 5, column 7: \*\*(.*?)\*\*", one) for one in said]
    assert len(values[0]) == len(values[1]) == 1
    assert values[0] != values[1]


def test_a_layer_that_the_other_network_does_not_have_is_said_to_be_missing(
    open_page: Open, store: RunStore
) -> None:
    run = add_trained(store, "LeNet, wide", 0.5, channels1=9)
    app = open_page("batch_norm", "Feature maps", weights=SMALL, weights_beside=run)
    assert fine(app)
    assert "has no layer conv1 with as many channels" in texts(app)


def test_a_damaged_card_is_said_and_the_view_works(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> None:
        raise WeightsError("The card x.json cannot be read.")

    monkeypatch.setattr(checkpoints, "shipped", damaged)
    monkeypatch.setattr(checkpoints, "find", damaged)
    app = open_page("batch_norm", "Feature maps")
    assert fine(app)
    assert "The card x.json cannot be read." in app.warning[0].value
    assert app.selectbox(key="weights").value == "fresh"


def test_what_the_address_leaves_out_does_not_depend_on_what_is_chosen(
    open_page: Open, store: RunStore
) -> None:
    """Otherwise a reload, whose session is empty, shows something else."""
    run = add_trained(store, "LeNet, mine", 0.8)
    begun = open_page("batch_norm", "Feature maps")
    changed = open_page(
        "batch_norm",
        "Feature maps",
        weights=run,
        sample="cat",
        edit_rotate=-180.0,
        edit_right=-50.0,
    )
    assert fine(begun)
    assert fine(changed)
    for key in ("weights", "sample"):
        first, second = (app.selectbox(key=key) for app in (begun, changed))
        assert first.value != second.value
    mine, ours = changed.selectbox(key="weights").proto, begun.selectbox(key="weights").proto
    assert mine.options[mine.default] == ours.options[ours.default]
    # Of the shapes, from which the run has learned.
    pictures = changed.selectbox(key="sample").proto
    assert pictures.options[pictures.default].startswith("shapes")
    for key in ("edit_rotate", "edit_right"):
        assert list(changed.slider(key=key).proto.default) == [0.0]


def test_the_runs_page_leads_into_a_run(store: RunStore) -> None:
    run = add_trained(store, "LeNet, ReLU", 0.8)
    app = open_runs([run])
    app.button(key="runs.look_inside").click().run()
    assert app.session_state["view"] == "Feature maps"
    assert app.session_state["weights"] == run
    assert app.query_params["weights"] == "LeNet, ReLU · 80.0%"


def test_a_block_of_the_diagram_leads_to_its_maps(open_page: Open) -> None:
    app = open_page("resnet", "Architecture")
    app.button_group(key="maps_of_block").set_value("stage2").run()
    assert app.session_state["view"] == "Feature maps"
    assert app.session_state["layer"].startswith("stage2.block"), "the trained one has fewer"
    assert str(app.query_params["layer"]).startswith("stage2"), "a reload shows it again"
    assert fine(app)


@pytest.mark.parametrize("name", list(catalog.NETWORKS))
def test_every_block_has_a_layer_with_maps(name: str) -> None:
    from cnnlab.trace import trace_of

    spec = catalog.NETWORKS[name]
    found = trace_of(spec, spec.presets["small"], spec.preset_image_size("small"))
    last = block_links.last_layers(found)
    children = [child for child, _ in found.outline.named_children()]
    assert [block for block in children if block in last] == list(last)
    assert all(len(found.shapes[layer]) == 4 for layer in last.values())


def test_trained_weights_that_fit_every_size_look_at_a_larger_picture(
    open_page: Open, store: RunStore
) -> None:
    run = add_trained(store, "NiN", 0.7, network="nin")
    app = open_page("nin", "Feature maps", weights=run)
    assert "each class map is a single value" in texts(app)
    app.select_slider(key="trained_size").set_value(96).run()
    assert fine(app)
    assert "What the network sees: 96×96 pixels" in alts(app)[1]
    named = [alt for alt in alts(app) if alt.startswith("Map of the class ")]
    assert len(named) == 10
    logits = dict(zip(app.dataframe[-1].value["Class"], app.dataframe[-1].value["z"], strict=True))
    best = max(logits, key=lambda name: logits[name])
    assert named[0].startswith(f"Map of the class {best}, ")
    # LeNet's fully-connected layers are made for one size.
    app = open_page("batch_norm", "Feature maps", weights=SMALL)
    assert not [slider for slider in app.select_slider if slider.key == "trained_size"]


def test_weights_that_another_network_lacks_give_way_to_its_own(open_page: Open) -> None:
    app = open_page("batch_norm", "Feature maps", weights="imagenet-resnet18", trained_size=999)
    assert fine(app)
    assert str(app.selectbox(key="weights").value).endswith("fashion_mnist")
