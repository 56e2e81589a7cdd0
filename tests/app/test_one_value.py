"""One value taken apart, and what it sees: the panels on their own, for every kind of layer."""

import base64
import json
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from cnnlab import catalog
from cnnlab.explain.effective import strongest
from cnnlab.explain.receptive import Place, node_of
from cnnlab.explain.value import take_apart
from cnnlab.trace import trace_of
from pages.components import one_value
from pages.components.colour_bar import number
from pages.components.maps_cache import Pass, Weights

MESSAGE_BYTES = 100_000


def asked_of(name: str, preset: str = "small", **knobs: Any) -> Pass:
    spec = catalog.NETWORKS[name]
    options, size = spec.presets[preset].replace(**knobs), spec.preset_image_size(preset)
    batch = torch.rand(1, options.in_channels, size, size, generator=torch.Generator())
    return Pass(Weights(name, options, size), batch)


def panels(name: str, layer: str, place: tuple[int, int, int], preset: str = "small") -> None:
    """What the script of a test page does."""
    from pages.components import one_value
    from tests.app.test_one_value import asked_of

    asked = asked_of(name, preset)
    one_value.show(asked, layer, *place)


def opened(name: str, layer: str, place: tuple[int, int, int], preset: str = "small") -> AppTest:
    arguments = (name, layer, place, preset)
    app = AppTest.from_function(panels, args=arguments, default_timeout=60).run()
    assert not app.exception, [box.value for box in app.exception]
    return app


def said(app: AppTest) -> str:
    return "\n".join(box.value for box in (*app.markdown, *app.info, *app.caption, *app.error))


def unpacked(text: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(text), np.float32)


@pytest.mark.parametrize(
    ("name", "layer", "place", "sees"),
    [
        ("lenet", "conv2", (3, 4, 4), "**14 × 14 pixels**, 19%"),
        ("lenet", "pool1", (0, 0, 15), "**4 × 4 pixels**"),
        ("resnet", "stage2.block1", (2, 3, 3), "pixels**"),
        ("densenet", "dense1", (20, 5, 5), "pixels**"),
        ("googlenet", "inception3a", (60, 1, 1), "pixels**"),
        ("nin", "block3.conv1", (3, 0, 0), "values of this layer see up to"),
        ("nin", "global_pool", (3, 0, 0), "pixels**"),
        ("lenet", "flatten", (7, 0, 0), "pixels**"),
    ],
)
def test_a_value_of_every_kind_of_layer(
    name: str, layer: str, place: tuple[int, int, int], sees: str
) -> None:
    app = opened(name, layer, place)
    assert not app.error
    assert sees in said(app)
    assert f"**{layer}" in said(app)
    alts = [str(picture.proto.imgs[0].alt) for picture in app.image]
    assert "A frame about" in alts[0]
    assert len(alts) == 2 or "No pixel counts" in said(app)
    assert len(app.get("bidi_component")) == (layer != "flatten")


@pytest.mark.parametrize(("layer", "place"), [("conv9", (0, 0, 0)), ("conv1", (6, 0, 0))])
def test_a_value_that_there_is_not_is_named(layer: str, place: tuple[int, int, int]) -> None:
    app = opened("lenet", layer, place)
    assert len(app.error) == 1
    assert "There is no layer" in said(app) or "it can be 0 to 5 here" in said(app)


def test_a_costly_field_is_computed_when_it_is_asked_for() -> None:
    app = opened("resnet", "stage3.block1", (0, 5, 5), "resnet18")
    assert len(app.image) == 1
    (button,) = [button for button in app.button if button.label == "Show which pixels count"]
    button.click().run()
    assert len(app.image) == 2 or "No pixel counts" in said(app)
    app.run()
    assert button.label not in {button.label for button in app.button}, "it is kept"


@pytest.mark.parametrize("name", catalog.NETWORKS)
def test_a_message_is_small_and_its_numbers_are_the_networks(name: str) -> None:
    asked = asked_of(name)
    found = trace_of(catalog.NETWORKS[name], asked.weights.options, asked.weights.image_size)
    layers = [i for i, node in enumerate(found.nodes) if len(node.output_shape) == 4][1:]
    for node in layers[:: max(1, len(layers) // 8)]:
        _, channels, height, width = found.nodes[node].output_shape
        place = Place(channels // 2, height // 2, width - 1)
        message = one_value.take(asked, found, node, place)
        assert message.message is not None
        assert len(json.dumps(message.message)) < MESSAGE_BYTES
        sent: Any = message.message
        row, column = sent["start"]
        output = unpacked(sent["output"]).reshape(sent["height"], sent["width"])
        assert output[row, column] == pytest.approx(message.given)
        assert len(sent["rows"]) == sent["height"]


def test_the_largest_messages() -> None:
    for name, preset, layer in (
        ("alexnet", "d2l", "block1.conv"),
        ("resnet", "resnet18", "stem.conv"),
        ("lenet", "d2l", "conv2"),
    ):
        asked = asked_of(name, preset)
        found = trace_of(catalog.NETWORKS[name], asked.weights.options, asked.weights.image_size)
        side = found.shapes[layer][2] // 2
        shown = one_value.take(asked, found, node_of(found, layer), Place(1, side, side))
        assert len(json.dumps(shown.message)) < MESSAGE_BYTES


def test_what_is_joined_and_added_is_named() -> None:
    names = {}
    for name, layer in (
        ("googlenet", "inception3a"),
        ("densenet", "dense1"),
        ("resnet", "stage2.block1"),
    ):
        asked = asked_of(name)
        found = asked.weights.trace
        # Behind the sum stands an activation.
        node = node_of(found, layer) - (name == "resnet")
        message: Any = one_value.take(asked, found, node, Place(1, 1, 1)).message
        names[layer] = message["names"]
    assert names["inception3a"][0] == "inception3a.path1.act"
    assert names["dense1"] == ["dense1 (cat)", "dense1.layer2.conv2"]
    assert names["stage2.block1"] == ["stage2.block1.norm2", "stage2.block1.shortcut"]


def test_from_a_value_to_those_that_it_was_made_of_and_back() -> None:
    app = opened("resnet", "stage2.block1", (2, 3, 3))
    assert "**stage2.block1.act2 (ReLU)**" in said(app)
    app.button(key="one_value.origin0").click().run()
    assert "**stage2.block1 (add)**" in said(app)
    labels = [button.label for button in app.button]
    assert labels[:3] == [
        "Back to stage2.block1.act2",
        "Its input: stage2.block1.norm2",
        "Its input: stage2.block1.shortcut",
    ]
    app.button(key="one_value.origin1").click().run()
    # The shortcut of 1×1 sees less than the convolutions beside it.
    assert "This value sees **7 × 7 pixels**" in said(app)
    assert "**stage2.block1.shortcut (Conv2d)**, channel 2, row 3, column 3" in said(app)
    assert [button.label for button in app.button] == ["Back to stage2.block1 (add)"]
    app.button(key="one_value.back").click().run()
    app.button(key="one_value.back").click().run()
    assert "**stage2.block1.act2 (ReLU)**" in said(app)


def test_a_larger_picture_is_spoken_of_only_where_it_shows_more() -> None:
    told = {
        layer: said(opened("nin", layer, (0, 0, 0))) for layer in ("block4.conv3", "global_pool")
    }
    assert "In the middle of a larger picture" in told["block4.conv3"]
    assert "In the middle of a larger picture" not in told["global_pool"], "it sees all of any"
    assert "larger picture" not in said(opened("alexnet", "fc6", (0, 0, 0)))


def test_features_in_words() -> None:
    asked = asked_of("lenet", dropout=0.5, batch_norm=True, activation="leaky_relu")
    found = trace_of(catalog.NETWORKS["lenet"], asked.weights.options, asked.weights.image_size)
    words = {
        layer: one_value.take(asked, found, node_of(found, layer), Place(5)).words
        for layer in ("flatten", "norm3", "act3", "drop3")
    }
    assert words["flatten"].startswith("Nothing is computed: the value stood at (0, ")
    assert words["norm3"].startswith("γ · (x − μ) / σ + β = 1 · (")
    assert words["act3"].startswith("leaky relu(")
    assert "probability 0.5" in words["drop3"]


def test_a_fully_connected_sum_in_words() -> None:
    asked = asked_of("lenet")
    model = catalog.NETWORKS["lenet"].build(asked.weights.options, image_size=32)
    found = asked.weights.trace
    value = take_apart(model, asked.batch, node_of(found, "fc2"), Place(3))
    words = one_value.words(value.arithmetic)
    assert words.count("\n|") == 1 + one_value.SHOWN_PARTS
    assert f"{120 - one_value.SHOWN_PARTS} others" in words
    assert words.endswith(f"= **{number(value.given)}**")


def test_a_value_that_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_of("alexnet", stem_padding=5, stem_kernel_size=3, stem_stride=1)
    monkeypatch.setattr("tests.app.test_one_value.asked_of", lambda *_: asked)
    app = opened("alexnet", "block1.conv", (0, 0, 0))
    assert "sees **no pixel** of the picture" in said(app)
    assert strongest(torch.zeros(3, 3), 0.5) == 0
