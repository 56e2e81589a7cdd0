"""The bench of windows in the text of 9.1."""

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.explain.stride_bench import PRESETS, Bench
from pages.components.stride_bench import left_out, message, words
from tests.app.conftest import Open


def said(app: AppTest) -> str:
    assert not app.exception, [box.value for box in app.exception]
    return "\n".join(box.value for box in (*app.markdown, *app.error))


def test_the_formula_follows_the_knobs(open_page: Open) -> None:
    app = open_page("alexnet", "Read")
    assert "⌊(8 − 3) / 2⌋ + 1 = ⌊2.5⌋ + 1 = 3" in said(app)
    assert "No window reads **row 7** at the end: 1 pixel is left over" in said(app)
    app.slider(key="stride.padding").set_value(1)
    app.slider(key="stride.dilation").set_value(2).run()
    assert "⌊(8 + 2 · 1 − 2 · (3 − 1) − 1) / 2⌋ + 1" in said(app)
    app.slider(key="stride.size").set_value(1)
    app.slider(key="stride.kernel_size").set_value(7).run()
    assert "The window spans 13 pixels" in said(app)
    app.segmented_control(key="stride.setting").set_value("book").run()
    assert "⌊(224 + 2 · 1 − 11) / 4⌋ + 1 = ⌊53.75⌋ + 1 = 54" in said(app)
    assert "**rows 222, 223** at the end: 3 pixels are left over" in said(app)


def test_other_pages_have_none(open_page: Open) -> None:
    assert "On the bench:** a window" not in said(open_page("vgg", "Read"))


@pytest.mark.parametrize(
    ("bench", "sentence"),
    [
        (Bench(9, 3, 2), "the last window ends exactly at the border"),
        (Bench(8, 3, 2, 1), "Of the padding 1 pixel is left over"),
        (Bench(9, 1, 4), "**rows 1, 2, 3, 5, 6, 7** between the pixels"),
        (Bench(11, 2, 4), "No window reads **rows 2, 3, 6, 7** between the pixels"),
        (Bench(11, 2, 4), "Nor **row 10** at the end: 1 pixel is left over"),
    ],
)
def test_what_is_left_out_in_words(bench: Bench, sentence: str) -> None:
    assert sentence in left_out(bench)


def test_the_message_has_numbers_where_they_can_be_read() -> None:
    small, large = message(Bench(8, 3, 2, 1)), message(PRESETS["book"])
    assert {"picture", "kernel", "values"} <= set(small)
    assert "picture" not in large
    assert words(Bench(8, 3, 2)) == "Picture, 8 × 8; 1 row and 1 column crossed out"
    assert "2 rows and 2 columns crossed out" in words(PRESETS["book"])
