"""The bench of batch norm in the text of 9.5: its sliders and its arithmetic."""

from streamlit.testing.v1 import AppTest

from cnnlab.norm_bench import bench
from tests.app.conftest import Open


def arithmetic(app: AppTest) -> str:
    assert not app.exception, [box.value for box in app.exception]
    (found,) = [box.value for box in app.markdown if box.value.startswith("μ = ")]
    return str(found)


def test_the_numbers_follow_the_sliders(open_page: Open) -> None:
    app = open_page("batch_norm", "Read")
    found = bench(32, 0)
    text = arithmetic(app)
    assert f"/ {32 * 32 * 32:,} = **{found.mean:.3f}**" in text
    assert f"**{float(found.after[0, 16, 16]):.3f}**." in text
    app.slider(key="bench.gamma").set_value(2.0)
    app.slider(key="bench.beta").set_value(-1.0)
    app.select_slider(key="bench.size").set_value(4).run()
    found = bench(4, 0, 2.0, -1.0)
    text = arithmetic(app)
    assert "over all pixels of 4 pictures" in text
    assert f"+ (-1.000) = **{float(found.after[0, 16, 16]):.3f}**." in text


def test_companions_matter_in_training_only(open_page: Open) -> None:
    app = open_page("batch_norm", "Read")
    before = arithmetic(app)
    app.button(key="bench.shuffle").click().run()
    assert arithmetic(app) != before
    app.segmented_control(key="bench.mode").set_value("Prediction").run()
    before = arithmetic(app)
    assert "running averages" in before
    app.button(key="bench.shuffle").click().run()
    assert arithmetic(app) == before


def test_other_pages_have_none(open_page: Open) -> None:
    app = open_page("vgg", "Read")
    assert not [box for box in app.markdown if "On the bench" in box.value]
