"""The bench in the text of 9.3: one picture, both layers, one pixel's arithmetic."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab import images
from cnnlab.pointwise import IMAGE_SIZE, IN_CHANNELS, Pointwise, both
from tests.app.conftest import Open


def found_of(name: str) -> Pointwise:
    sample = next(sample for sample in images.samples() if sample.name == name)
    picture = images.decode(sample.path.read_bytes())
    return both(images.to_batch(picture, IMAGE_SIZE, IN_CHANNELS))


def said(app: AppTest) -> str:
    assert not app.exception, [box.value for box in app.exception]
    return " ".join(box.value for box in app.markdown)


def test_the_numbers_follow_picture_channel_and_pixel(open_page: Open) -> None:
    app = open_page("nin", "Read")
    found = found_of("cat")
    assert f"= **{float(found.connected[0, 15, 15]):.3f}**." in said(app)
    # In which order is added differs from machine to machine, and with it the last digit.
    apart = re.search(r"24 × 30 × 30 = 21,600 values: (0|[\d.]+e-\d+)\b", said(app))
    assert apart
    assert float(apart[1]) < 1e-5
    app.slider(key="pointwise.channel").set_value(7)
    app.slider(key="pointwise.row").set_value(3)
    app.slider(key="pointwise.column").set_value(29)
    app.selectbox(key="sample").set_value("zone_plate").run()
    found = found_of("zone_plate")
    result = f"{float(found.connected[7, 3, 29]):.3f}"
    assert f"= **{result}**." in said(app)
    (line,) = [line for line in said(app).split("  \n") if line.endswith(f"{result}**.")]
    *terms, bias = line.split(" = ")[0].split(" + ")
    products = [float(term[0].strip("()")) * float(term[1]) for term in map(splits, terms)]
    assert sum(products) + float(bias.strip("()")) == pytest.approx(float(result), abs=0.005)


def splits(term: str) -> list[str]:
    return term.split(" · ")


def test_the_text_asks_for_a_picture_and_shows_the_sample_until_then(open_page: Open) -> None:
    app = open_page("nin", "Read", picture_from="Upload")
    assert "Largest difference" in said(app)
    assert "Until then you see the sample picture." in {box.value for box in app.caption}


def test_the_bench_has_both_results_beside_the_picture(open_page: Open) -> None:
    app = open_page("nin", "Read")
    here = [str(picture.proto.imgs[0].caption) for picture in app.image]
    assert len(here) == 3
    one, other = (words.split(": ")[1] for words in here[1:])
    assert one == other, "the same number stands under both"


def test_other_pages_have_none(open_page: Open) -> None:
    assert "every pixel is an example" not in said(open_page("vgg", "Read"))
