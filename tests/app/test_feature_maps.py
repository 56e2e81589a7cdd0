"""The Feature maps view: pictures in, maps out."""

from unittest.mock import Mock

import pytest
import torch

from cnnlab import budget, catalog, layer_maps, pass_price
from cnnlab.datasets import DATASETS
from cnnlab.layer_maps import Layers, Seen
from cnnlab.runs.store import RunStore
from pages.components import maps_cache
from pages.components.maps_cache import Pass, Weights
from tests.app.conftest import Open
from tests.app.maps_page import add_trained, alts, channel_alt, drawn, fine, mosaic_alt, texts


def test_every_layer_and_the_last_channel(open_page: Open) -> None:
    app = open_page("alexnet", "Feature maps", weights="fresh")
    layers = app.selectbox(key="layer").options
    assert len(layers) > 10
    app.selectbox(key="layer").set_value("block5.act").run()
    app.slider(key="channel").set_value(255).run()
    assert fine(app)
    assert len(app.dataframe[0].value) == 256


def test_a_move_of_layer_channel_or_colours_computes_nothing_again(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Mock(wraps=layer_maps.look)
    monkeypatch.setattr(layer_maps, "look", look)
    app = open_page("resnet", "Feature maps", weights="fresh", weights_seed=77)
    app.selectbox(key="layer").set_value("stage2.block1.act2").run()
    app.slider(key="channel").set_value(3).run()
    app.selectbox(key="scale").set_value("channel").run()
    assert fine(app)
    assert look.call_count == 1
    other = open_page("resnet", "Feature maps", weights="fresh", weights_seed=77)
    assert fine(other)
    assert look.call_count == 1, "the maps are there for other visitors, too"
    app.number_input(key="weights_seed").set_value(78).run()
    assert look.call_count == 2


def test_the_layer_that_is_shown_stays_when_shapes_change(open_page: Open) -> None:
    app = open_page("alexnet", "Feature maps", weights="fresh")
    app.selectbox(key="layer").set_value("block1.act").run()
    for preset in ("small", "torchvision", "d2l"):
        app.selectbox(key="alexnet.alexnet.preset").set_value(preset).run()
        assert app.selectbox(key="layer").value == "block1.act"
        assert "channels of block1.act in" in mosaic_alt(app)
        assert drawn(app)["cnnlab_mosaic"]["layer"] == "block1.act"
        assert "**block1.act**" in texts(app)
    app.selectbox(key="network").set_value("lenet").run()
    assert fine(app)
    shown = app.selectbox(key="layer").value
    assert f"**{shown}**" in texts(app)


def test_the_first_channel_that_is_enlarged_is_not_a_flat_one(open_page: Open) -> None:
    app = open_page("googlenet", "Feature maps")
    assert fine(app)
    found = app.dataframe[0].value
    assert app.slider(key="channel").value == found["Standard deviation"].to_numpy().argmax()
    app.slider(key="channel").set_value(15).run()
    app.selectbox(key="sample").set_value("noise").run()
    assert app.slider(key="channel").value == 15, "what was chosen stays"


def test_pictures_say_what_is_seen(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", weights="fresh", layer="stem.act", channel=2)
    original, seen = alts(app)[:2]
    everything, one = mosaic_alt(app), channel_alt(app)
    assert original == "Original: cat"
    assert seen == "What the network sees: 96×96 pixels of cat, in grey"
    assert everything.startswith("All 64 channels of stem.act in rows of 8, coloured from 0 to ")
    assert one.startswith("Channel 2 of stem.act: ")


def test_colours_follow_the_layer_until_a_scale_is_chosen(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", weights="fresh", layer="stem.norm")
    assert "coloured from −" in mosaic_alt(app)
    app.selectbox(key="layer").set_value("stem.act").run()
    assert "coloured from 0 to" in mosaic_alt(app)
    app.selectbox(key="scale").set_value("channel").run()
    assert "coloured from each channel's lowest to its highest" in mosaic_alt(app)


def test_fresh_batch_norm_is_said_to_change_nothing(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", weights="fresh", layer="stem.norm")
    assert "batch norm has seen no batch" in texts(app)
    app.selectbox(key="layer").set_value("stem.conv").run()
    assert "batch norm has seen no batch" not in texts(app)


def test_a_network_without_maps_is_said_to_have_none(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Layers({}, Mock())
    monkeypatch.setattr(layer_maps, "look", lambda *_: Seen(nothing, None, torch.empty(0)))
    app = open_page("resnet", "Feature maps", weights="fresh", weights_seed=79)
    assert fine(app)
    assert "No layer of this network makes maps" in texts(app)


def test_a_pass_that_costs_too_much_is_refused_and_the_knobs_stay(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pass_price, "MOST_BYTES", 1000)
    app = open_page("resnet", "Feature maps", weights="fresh")
    assert not app.exception
    assert "Make the network narrower or the input smaller" in app.error[0].value
    assert app.slider(key="resnet.resnet.image_size").value == 96


def test_a_network_too_large_for_the_machine_is_refused(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "memory_bytes", lambda: 2**20)
    app = open_page("resnet", "Feature maps", weights="fresh")
    assert not app.exception
    assert "a page may take 0 MB on this machine" in app.error[0].value


def test_the_widest_network_opens_without_the_weights_that_no_map_needs(open_page: Open) -> None:
    app = open_page("vgg", "Feature maps", weights="fresh")
    assert app.selectbox(key="vgg.vgg.preset").value == "d2l_full"
    assert fine(app)
    assert maps_cache.weights_cache().used_bytes <= maps_cache.WEIGHTS_BYTES
    assert maps_cache.maps_cache().used_bytes <= maps_cache.MAPS_BYTES


def test_a_finished_run_opens_its_feature_maps(open_page: Open, store: RunStore) -> None:
    run = add_trained(store, "LeNet, ReLU", 0.8312)
    app = open_page("batch_norm", "Train")
    app.button(key="look_inside").click().run()
    assert fine(app)
    assert app.session_state["view"] == "Feature maps"
    assert app.selectbox(key="weights").value == run
    assert app.query_params["weights"] == "LeNet, ReLU · 83.1%", "a reload shows it again"


def test_weights_are_chosen_by_name_and_accuracy_the_newest_first(
    open_page: Open, store: RunStore
) -> None:
    add_trained(store, "LeNet, sigmoid", 0.1)
    newer = add_trained(store, "LeNet, ReLU", 0.8312)
    app = open_page("batch_norm", "Feature maps")
    choice = app.selectbox(key="weights")
    fresh = choice.options.index("Fresh, drawn from a seed")
    assert choice.options[0] == "LeNet, ReLU · 83.1%"
    assert choice.options[fresh + 1 :] == ["LeNet, sigmoid · 10.0%"]
    assert len(set(choice.options)) == len(choice.options)
    choice.set_value(newer).run()
    assert fine(app)
    assert not app.number_input, "weights that were learned have no seed and no knobs"
    store.weights_path(newer).unlink()
    maps_cache.weights_cache.clear()
    maps_cache.maps_cache.clear()
    app.run()
    assert not app.exception
    assert "Train the network again" in app.error[0].value
    assert app.selectbox(key="weights").value == newer


def test_a_link_to_weights_that_are_not_there_is_answered(open_page: Open) -> None:
    app = open_page("batch_norm")
    app.session_state["view"] = "Feature maps"
    app.query_params["weights"] = "LeNet of somebody else"
    app.run()
    assert fine(app)
    assert "“LeNet of somebody else” is not among the weights" in app.warning[0].value
    assert str(app.selectbox(key="weights").value).endswith("-fashion_mnist")


def test_where_channels_are_classes_they_have_their_names(open_page: Open, store: RunStore) -> None:
    run = add_trained(store, "NiN", 0.7, network="nin")
    app = open_page("nin", "Feature maps", weights=run, layer="global_pool", channel=3)
    assert fine(app)
    names = DATASETS["shapes"].class_names
    assert channel_alt(app).startswith(f"Channel 3 of global_pool, {names[3]}: ")
    assert list(app.dataframe[0].value["Class"]) == list(names)
    app.selectbox(key="layer").set_value("block1.conv1").run()
    assert "Mean" in app.dataframe[0].value
    assert "Class" not in app.dataframe[0].value


def test_a_change_of_size_draws_no_weights_anew_where_they_fit_every_size() -> None:
    spec = catalog.NETWORKS["resnet"]
    one, other = (Weights("resnet", spec.presets["small"], size) for size in (32, 64))
    assert maps_cache.model_of(one) is maps_cache.model_of(other)
    batch = torch.rand(1, other.options.in_channels, 64, 64)
    assert maps_cache.maps_of(Pass(other, batch))["stem.conv"].shape[1] > 16


def test_a_head_that_is_made_for_one_size_is_drawn_for_each() -> None:
    spec = catalog.NETWORKS["lenet"]
    for size in (32, 40):
        weights = Weights("lenet", spec.presets["small"], size)
        seen = maps_cache.seen_of(Pass(weights, torch.rand(1, 1, size, size)))
        assert seen.logits is not None


def test_a_value_that_was_taken_shows_its_arithmetic_and_what_it_sees(open_page: Open) -> None:
    app = open_page("batch_norm", "Feature maps", weights="small-fashion_mnist", layer="conv1")
    assert "This value sees" not in texts(app)
    app.session_state["value_taken"] = ("conv1", 5, 7)
    app.session_state["channel"] = 2
    app.run()
    assert fine(app)
    assert "channel 2, row 5, column 7" in texts(app)
    assert "This value sees **5 × 5 pixels**" in texts(app)
    # On another layer there is none.
    app.selectbox(key="layer").set_value("conv2").run()
    assert fine(app)
    assert "This value sees" not in texts(app)
