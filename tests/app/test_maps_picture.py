"""The picture of the Feature maps view: samples, uploads, edits, and what the network says."""

import io

import pytest
from PIL import Image

from cnnlab import images
from cnnlab.datasets import DATASETS
from cnnlab.runs.store import RunStore
from pages.components import picture_choice
from tests.app.conftest import Open
from tests.app.maps_page import add_trained, alts, drawn, fine, texts


def jpeg(colour: str) -> bytes:
    raw = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(raw, "JPEG")
    return raw.getvalue()


def test_every_sample_has_maps(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", weights="fresh")
    for sample in images.samples():
        app.selectbox(key="sample").set_value(sample.name).run()
        assert fine(app), sample.name
        assert len(drawn(app)) == 3
        assert len(app.image) == 3


def test_an_uploaded_picture_replaces_the_sample(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", weights="fresh", picture_from="Upload")
    assert fine(app)
    app.file_uploader(key="upload").set_value(("red.jpg", jpeg("red"), "image/jpeg")).run()
    assert fine(app)
    assert "of your picture" in alts(app)[1]
    # A picture of one colour has no edges: a convolution sees the same everywhere but the border.
    assert len(app.dataframe[0].value) == 64


@pytest.mark.parametrize("raw", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"<svg/>"])
def test_a_broken_upload_gets_a_sentence_and_the_knobs_stay(open_page: Open, raw: bytes) -> None:
    app = open_page("resnet", "Feature maps", weights="fresh", picture_from="Upload")
    app.file_uploader(key="upload").set_value(("x.gif", raw, "image/gif")).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "PNG" in app.error[0].value
    assert app.selectbox(key="weights").value == "fresh"
    assert app.slider(key="resnet.resnet.image_size").value == 96
    assert alts(app)[0] == "Original: cat", "the sample is shown meanwhile"


def test_a_colour_picture_made_grey_is_explained_and_three_channels_are_offered(
    open_page: Open,
) -> None:
    app = open_page("resnet", "Feature maps", weights="fresh")
    assert "Made grey: this network has one input channel." in texts(app)
    app.button(key="use_colour").click().run()
    assert fine(app)
    assert "Made grey" not in texts(app)
    assert alts(app)[1].endswith("of cat")
    app.selectbox(key="sample").set_value("zone_plate").run()
    assert "Made grey" not in texts(app)


def test_fresh_weights_guess_and_a_head_that_is_too_large_is_left_out(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", weights="fresh")
    assert "It guesses" in texts(app)
    app = open_page("vgg", "Feature maps", weights="fresh")
    assert "No class scores" in texts(app)


def test_scores_of_a_run_name_its_classes_and_follow_an_edit(
    open_page: Open, store: RunStore
) -> None:
    run = add_trained(store, "LeNet, ReLU", 0.8)
    app = open_page("batch_norm", "Feature maps", weights=run)
    assert fine(app)
    table = app.dataframe[-1].value
    assert list(table["Class"]) == list(DATASETS["shapes"].class_names)
    assert table["Share"].sum() == pytest.approx(1)
    app.slider(key="edit_rotate").set_value(90.0).run()
    app.toggle(key="edit_invert").set_value(True).run()
    assert fine(app)
    assert list(app.dataframe[-1].value["Share"]) != list(table["Share"])
    assert alts(app)[1].endswith(", turned, inverted")
    app.button(key="edits_undo").click().run()
    assert list(app.dataframe[-1].value["Share"]) == list(table["Share"])
    assert app.button(key="edits_undo").disabled


def test_the_square_is_moved_where_there_is_one(open_page: Open) -> None:
    app = open_page("resnet", "Feature maps", weights="fresh")
    assert "edit_cover_x" not in [slider.key for slider in app.slider]
    app.slider(key="edit_cover").set_value(25.0).run()
    app.slider(key="edit_cover_x").set_value(80.0).run()
    assert fine(app)
    assert alts(app)[1].endswith(", covered")


def test_edits_come_back_from_the_address(open_page: Open) -> None:
    app = open_page(
        "resnet", "Feature maps", {"edit_rotate": "-45", "edit_grey": "true"}, weights="fresh"
    )
    assert fine(app)
    assert app.slider(key="edit_rotate").value == -45
    assert alts(app)[1].endswith(", turned, grey")


@pytest.mark.parametrize("dataset", ["", *DATASETS])
def test_every_data_set_has_a_picture_to_begin_with(dataset: str) -> None:
    """None of the samples is of CIFAR-10: a photograph stands in."""
    chosen = next(s for s in images.samples() if s.name == picture_choice.first_sample(dataset))
    own = {sample.dataset for sample in images.samples()}
    assert chosen.dataset == (dataset if dataset in own else "")
