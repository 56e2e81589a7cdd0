"""A row of the layer table opens to the formulas of its numbers."""

from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import layer_explained, state
from tests.app.conftest import Open


def said(app: AppTest) -> str:
    assert not app.exception, [box.value for box in app.exception]
    return "\n".join(box.value for box in app.markdown)


def test_a_layer_that_is_chosen_is_explained(open_page: Open) -> None:
    app = open_page("alexnet", "Architecture")
    assert "With numbers" not in said(app)
    app.selectbox(key="explained_layer").set_value("block1.conv").run()
    assert "`⌊(224 + 2 · 1 − 11) / 4⌋ + 1` | **54**" in said(app)
    assert "`96 · (1 · 11 · 11 + 1)` | **11,712**" in said(app)
    (copied,) = [box.value for box in app.code if box.value.startswith("**block1.conv**")]
    assert "| Memory (bytes) | values · 4 | 96 · 54 · 54 · 4 | 1,119,744 |" in copied


def test_every_layer_can_be_explained(open_page: Open) -> None:
    app = open_page("batch_norm", "Architecture")
    box = app.selectbox(key="explained_layer")
    for name in box.options:
        app.selectbox(key="explained_layer").set_value(name).run()
        assert f"**`{name}`**" in said(app)


def test_a_network_without_the_layer_explains_none(open_page: Open) -> None:
    app = open_page("vgg", "Architecture", explained_layer="block9.conv7")
    assert app.selectbox(key="explained_layer").value is None
    assert "With numbers" not in said(app)


@pytest.mark.parametrize(
    ("rows", "expected"), [([1], "conv2"), ([], None), ([7], None), (None, None)]
)
def test_the_row_that_is_marked_is_the_one(
    rows: list[int] | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Mock()
    selection = None if rows is None else {"selection": {"rows": rows, "columns": []}}
    monkeypatch.setattr(state, "get", lambda *_: selection)
    monkeypatch.setattr(state, "put", put)
    layer_explained.chosen(["conv1", "conv2"])
    put.assert_called_once_with("explained_layer", expected)
