"""The Feature maps view: pictures in, maps out."""

import io
from unittest.mock import Mock

import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnnlab import catalog, images, layer_maps
from cnnlab.datasets import DATASETS
from cnnlab.runs.store import RunStore
from cnnlab.training import RunConfig, checkpoint
from pages.components import maps_cache
from pages.components.maps_cache import Pass, Weights
from tests.app.conftest import Open
from tests.app.runs_page import ME


def fine(app: AppTest) -> bool:
    return not [*app.exception, *app.error]


def alts(app: AppTest) -> list[str]:
    return [str(picture.proto.imgs[0].alt) for picture in app.image]


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.caption, *app.markdown, *app.info))


def jpeg(colour: str) -> bytes:
    raw = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(raw, "JPEG")
    return raw.getvalue()


def test_every_sample_has_maps(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps")
    for sample in images.samples():
        app.selectbox(key="sample").set_value(sample.name).run()
        assert fine(app), sample.name
        assert len(app.image) == 3


def test_every_layer_and_the_last_channel(open_page: Open) -> None:
    app = open_page("alexnet", "Feature maps")
    layers = app.select_slider(key="layer").options
    assert len(layers) > 10
    app.select_slider(key="layer").set_value("block5.act").run()
    app.slider(key="channel").set_value(255).run()
    assert fine(app)
    assert len(app.dataframe[0].value) == 256


def test_a_move_of_layer_channel_or_colours_computes_nothing_again(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Mock(wraps=layer_maps.look)
    monkeypatch.setattr(layer_maps, "look", look)
    app = open_page("resnet", "Feature maps", weights_seed=77)
    app.select_slider(key="layer").set_value("stage2.block1.act2").run()
    app.slider(key="channel").set_value(3).run()
    app.selectbox(key="scale").set_value("channel").run()
    assert fine(app)
    assert look.call_count == 1
    other = open_page("resnet", "Feature maps", weights_seed=77)
    assert fine(other)
    assert look.call_count == 1, "the maps are there for other visitors, too"
    app.number_input(key="weights_seed").set_value(78).run()
    assert look.call_count == 2


def test_the_slider_names_the_layer_that_is_shown_when_shapes_change(open_page: Open) -> None:
    app = open_page("alexnet", "Feature maps")
    app.select_slider(key="layer").set_value("block1.act").run()
    for preset in ("small", "torchvision", "d2l"):
        app.selectbox(key="alexnet.alexnet.preset").set_value(preset).run()
        slider = app.select_slider(key="layer")
        assert slider.value == "block1.act"
        # What the browser shows is a word that is among the words on its scale.
        assert list(slider.proto.options) == [str(option) for option in slider.options]
        assert "block1.act" in slider.proto.options
        assert any("channels of block1.act in" in alt for alt in alts(app))
        assert "**block1.act**" in texts(app)
    app.selectbox(key="network").set_value("lenet").run()
    assert fine(app)
    shown = app.select_slider(key="layer").value
    assert f"**{shown}**" in texts(app)


def test_pictures_say_what_is_seen(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", layer="stem.act", channel=2)
    seen, everything, one = alts(app)
    assert seen == "What the network sees: 96×96 pixels of Cat, in grey"
    assert everything.startswith("All 64 channels of stem.act in rows of 8, coloured from 0 to ")
    assert one.startswith("Channel 2 of stem.act: ")


def test_colours_follow_the_layer_until_a_scale_is_chosen(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", layer="stem.norm")
    assert "coloured from −" in alts(app)[1]
    app.select_slider(key="layer").set_value("stem.act").run()
    assert "coloured from 0 to" in alts(app)[1]
    app.selectbox(key="scale").set_value("channel").run()
    assert "coloured from each channel's lowest to its highest" in alts(app)[1]


def test_fresh_batch_norm_is_said_to_change_nothing(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", layer="stem.norm")
    assert "batch norm has seen no batch" in texts(app)
    app.select_slider(key="layer").set_value("stem.conv").run()
    assert "batch norm has seen no batch" not in texts(app)


def test_an_uploaded_picture_replaces_the_sample(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", picture_from="Upload")
    assert fine(app)
    app.file_uploader(key="upload").set_value(("red.jpg", jpeg("red"), "image/jpeg")).run()
    assert fine(app)
    assert "of your picture" in alts(app)[0]
    # A picture of one colour has no edges: a convolution sees the same everywhere but the border.
    assert len(app.dataframe[0].value) == 64


@pytest.mark.parametrize("raw", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"<svg/>"])
def test_a_broken_upload_gets_a_sentence_and_the_knobs_stay(open_page: Open, raw: bytes) -> None:
    app = open_page("resnet", "Feature maps", picture_from="Upload")
    app.file_uploader(key="upload").set_value(("x.gif", raw, "image/gif")).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "PNG" in app.error[0].value
    assert app.selectbox(key="weights").value == "fresh"
    assert app.slider(key="resnet.resnet.image_size").value == 96
    assert len(app.image) == 3, "the sample is shown meanwhile"


def test_a_colour_picture_made_grey_is_explained_and_three_channels_are_offered(
    open_page: Open,
) -> None:
    app = open_page("resnet", "Feature maps")
    assert "Made grey: this network has one input channel." in texts(app)
    app.button(key="use_colour").click().run()
    assert fine(app)
    assert "Made grey" not in texts(app)
    assert alts(app)[0].endswith("of Cat")
    app.selectbox(key="sample").set_value("zone_plate").run()
    assert "Made grey" not in texts(app)


def test_a_network_without_maps_is_said_to_have_none(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer_maps, "look", lambda *_: {})
    app = open_page("resnet", "Feature maps", weights_seed=79)
    assert fine(app)
    assert "No layer of this network makes maps" in texts(app)


def test_a_pass_that_costs_too_much_is_refused_and_the_knobs_stay(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer_maps, "MOST_BYTES", 1000)
    app = open_page("resnet", "Feature maps")
    assert not app.exception
    assert "Make the network narrower or the input smaller" in app.error[0].value
    assert app.slider(key="resnet.resnet.image_size").value == 96


def test_the_widest_network_opens_without_the_weights_that_no_map_needs(open_page: Open) -> None:
    app = open_page("vgg", "Feature maps")
    assert app.selectbox(key="vgg.vgg.preset").value == "d2l_full"
    assert fine(app)
    assert maps_cache.weights_cache().used_bytes <= maps_cache.WEIGHTS_BYTES
    assert maps_cache.maps_cache().used_bytes <= maps_cache.MAPS_BYTES


def add_trained(store: RunStore, name: str, accuracy: float, network: str = "lenet") -> str:
    config = RunConfig(network=network, options="small")
    run = store.add(config, ME, "batch_norm", name)
    path = store.weights_path(run)
    model = checkpoint.fresh(network, config.options, config.image_size, seed=5)
    checkpoint.save(model, config, path)
    store.ended(run, "finished", weights=str(path), figures={"test_accuracy": accuracy})
    return run


def test_a_finished_run_opens_its_feature_maps(open_page: Open, store: RunStore) -> None:
    run = add_trained(store, "LeNet, ReLU", 0.8312)
    app = open_page("batch_norm", "Train")
    app.button(key="look_inside").click().run()
    assert fine(app)
    assert app.session_state["view"] == "Feature maps"
    assert app.selectbox(key="weights").value == run


def test_weights_are_chosen_by_name_and_accuracy_the_newest_first(
    open_page: Open, store: RunStore
) -> None:
    add_trained(store, "LeNet, sigmoid", 0.1)
    newer = add_trained(store, "LeNet, ReLU", 0.8312)
    app = open_page("batch_norm", "Feature maps")
    choice = app.selectbox(key="weights")
    assert choice.options == [
        "Fresh, drawn from a seed",
        "LeNet, ReLU · 83.1%",
        "LeNet, sigmoid · 10.0%",
    ]
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
    assert "“LeNet of somebody else” is not among your runs" in app.warning[0].value
    assert app.selectbox(key="weights").value == "fresh"


def test_where_channels_are_classes_they_have_their_names(open_page: Open, store: RunStore) -> None:
    run = add_trained(store, "NiN", 0.7, network="nin")
    app = open_page("nin", "Feature maps", weights=run, layer="global_pool", channel=3)
    assert fine(app)
    names = DATASETS["shapes"].class_names
    assert alts(app)[2].startswith(f"Channel 3 of global_pool, {names[3]}: ")
    assert list(app.dataframe[0].value["Class"]) == list(names)
    app.select_slider(key="layer").set_value("block1.conv1").run()
    assert "Class" not in app.dataframe[0].value


def test_a_change_of_size_draws_no_weights_anew() -> None:
    spec = catalog.NETWORKS["alexnet"]
    one, other = (Weights("alexnet", spec.presets["small"], size) for size in (48, 64))
    assert maps_cache.model_of(one) is maps_cache.model_of(other)
    batch = torch.rand(1, other.options.in_channels, 64, 64)
    assert maps_cache.maps_of(Pass(other, batch))["block1.conv"].shape[1] > 16
