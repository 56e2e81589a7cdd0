"""VGG's and DenseNet's blocks, edited number by number and as a text."""

from typing import Any

from streamlit.testing.v1 import AppTest

from tests.app.conftest import Open, figures


def numbers(app: AppTest, key: str) -> list[object]:
    found: list[object] = []
    keys = {box.key for box in app.number_input}
    while f"{key}{len(found)}" in keys:
        found.append(app.number_input(key=f"{key}{len(found)}").value)
    return found


def test_the_blocks_of_vgg_are_those_of_its_depth_until_one_is_changed(open_page: Open) -> None:
    app = open_page("vgg", "Architecture")
    key = "vgg.vgg.blocks.block"
    assert numbers(app, key) == [1, 1, 2, 2, 2]
    app.selectbox(key="vgg.vgg.depth").set_value(16).run()
    assert numbers(app, key) == [2, 2, 3, 3, 3]
    app.number_input(key=f"{key}4").set_value(1).run()
    assert not [*app.exception, *app.error, *app.warning]
    assert app.query_params["blocks"] == "2-2-3-3-1"
    assert app.selectbox(key="vgg.vgg.blocks").value == "2-2-3-3-1"
    # Two convolutions of 512 channels less than VGG-16 at full width for ten classes.
    full, less = 134_301_514 - 1152, 2 * (9 * 512**2 + 512)
    assert app.metric[0].value == f"{full - less:,}"
    assert any("VGG 2-2-3-3-1" in box.value for box in app.subheader)
    # A depth that is chosen after that is what counts.
    app.selectbox(key="vgg.vgg.depth").set_value(11).run()
    assert numbers(app, key) == [1, 1, 2, 2, 2]
    assert "blocks" not in app.query_params


def test_blocks_are_added_and_taken_away_within_their_limits(open_page: Open) -> None:
    app = open_page("vgg", "Architecture", link={"preset": "small"})
    key = "vgg.vgg.blocks.block"
    app.button(key=f"{key}.remove").click().run()
    assert numbers(app, key) == [1, 1, 2, 2]
    for _ in range(3):
        app.button(key=f"{key}.remove").click().run()
    assert numbers(app, key) == [1]
    assert app.button(key=f"{key}.remove").disabled
    assert figures(app)
    for _ in range(6):
        app.button(key=f"{key}.add").click().run()
    assert numbers(app, key) == [1] * 7
    assert app.button(key=f"{key}.add").disabled
    # Seven poolings leave nothing of a small picture: a sentence, and the list can be mended.
    assert not app.exception
    assert "The smallest size that works is 128×128" in app.error[0].value
    app.button(key=f"{key}.remove").click().run()
    app.button(key=f"{key}.remove").click().run()
    assert not app.error
    assert figures(app)


def test_all_together_are_no_more_than_allowed(open_page: Open) -> None:
    app = open_page("densenet", "Architecture", link={"preset": "small", "layers": "64-60-4"})
    key = "densenet.densenet.layers.block"
    assert numbers(app, key) == [64, 60, 4]
    assert [app.number_input(key=f"{key}{i}").max for i in range(3)] == [64, 62, 6]
    # Like the last, as far as there is room.
    app.button(key=f"{key}.add").click().run()
    assert numbers(app, key) == [64, 60, 4, 2]
    assert app.button(key=f"{key}.add").disabled
    assert not [*app.exception, *app.error, *app.warning]


def test_a_list_can_be_typed_and_one_that_cannot_be_is_answered(open_page: Open) -> None:
    app = open_page("densenet", "Train")
    box: Any = app.selectbox(key="densenet.densenet.layers")
    # The browser sends what was typed; the test client knows only what is listed.
    box.options += ["3-3"]
    box.set_value("3-3").run()
    assert numbers(app, "densenet.densenet.layers.block") == [3, 3]
    box = app.selectbox(key="densenet.densenet.layers")
    box.options += ["3 and 3"]
    box.set_value("3 and 3").run()
    assert not app.exception
    (warning,) = [found.value for found in app.warning if "layers" in found.value]
    assert "'3 and 3' was given; input should be 1 to 5 numbers from 1 to 64" in warning
    assert numbers(app, "densenet.densenet.layers.block") == [3, 3]


def test_what_is_compared_says_the_blocks_before_and_now(open_page: Open) -> None:
    app = open_page("vgg", "Architecture", link={"compare": "vgg.d2l_full", "blocks": "1-1-2"})
    assert not [*app.exception, *app.error, *app.warning]
    said = " ".join(box.value for box in app.caption)
    assert "convolutions per block 1-1-2-2-2 → 1-1-2." in said
