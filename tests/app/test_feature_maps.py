"""The Feature maps view: pictures in, maps out."""

import io

import pytest
from PIL import Image

from cnnlab import images
from tests.app.conftest import Open


def test_every_sample_has_maps(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps")
    for sample in images.samples():
        app.selectbox(key="sample").set_value(sample.name).run()
        assert not [*app.exception, *app.error], sample.name
        assert len(app.image) == 3


def test_every_layer_and_the_last_channel(open_page: Open) -> None:
    app = open_page("alexnet", "Feature maps")
    layers = app.select_slider(key="layer").options
    assert len(layers) > 10
    app.select_slider(key="layer").set_value("block5.act").run()
    app.slider(key="channel.256").set_value(255).run()
    assert not [*app.exception, *app.error]
    assert len(app.dataframe[0].value) == 256


def test_an_uploaded_picture_replaces_the_sample(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", picture_from="Upload")
    assert not [*app.exception, *app.error]
    raw = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(raw, "JPEG")
    app.file_uploader(key="upload").set_value(("red.jpg", raw.getvalue(), "image/jpeg")).run()
    assert not [*app.exception, *app.error]
    zeros_and_spread = app.dataframe[0].value["Std"]
    # A picture of one colour has no edges: a convolution sees the same everywhere but the border.
    assert len(zeros_and_spread) == 64


@pytest.mark.parametrize("raw", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"<svg/>"])
def test_a_broken_upload_gets_a_sentence(open_page: Open, raw: bytes) -> None:
    app = open_page("resnet", "Feature maps", picture_from="Upload")
    app.file_uploader(key="upload").set_value(("x.png", raw, "image/png")).run()
    assert not app.exception
    assert len(app.error) == 1
