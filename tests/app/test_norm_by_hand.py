"""Batch norm by hand in the text of 9.5: marked numbers, sums, and running statistics."""

import pytest
from streamlit.testing.v1 import AppTest
from torch import nn

from cnnlab.norm_by_hand import LAYER_KINDS, SHAPES, LayerKind, averaged, example
from tests.app.conftest import Open


def sums(app: AppTest) -> str:
    assert not app.exception, [box.value for box in app.exception]
    (found,) = [box.value for box in app.markdown if "Squared distances" in box.value]
    return str(found)


def kept(app: AppTest) -> str:
    (found,) = [box.value for box in app.markdown if box.value.startswith("PyTorch: running")]
    return str(found)


def drawings(app: AppTest) -> list[str]:
    return [str(box.proto.body) for box in app.get("html") if "is marked in all" in box.proto.body]


@pytest.mark.parametrize("kind", LAYER_KINDS)
def test_the_sums_are_those_of_the_marked_channel(open_page: Open, kind: LayerKind) -> None:
    app = open_page("batch_norm", "Read", by_hand__kind=kind)
    app.select_slider(key="by_hand.channel").set_value(2).run()
    found = averaged(example(kind), 2)
    listed = " + ".join(f"{value:.0f}" for value in found.values.tolist())
    assert f"μ = ({listed}) / {len(found.values)} = **{found.mean:.3f}**" in sums(app)
    assert f"/ {len(found.values)} = **{found.biased:.3f}**" in sums(app)
    assert f"/ {len(found.values) - 1} = **{found.unbiased:.3f}**" in sums(app)
    for drawing in drawings(app):
        assert drawing.count("font-weight:600") == len(found.values)
    assert len(drawings(app)) == 2


def test_the_running_statistics_are_pytorchs(open_page: Open) -> None:
    app = open_page("batch_norm", "Read", by_hand__kind="convolution")
    app.select_slider(key="by_hand.momentum").set_value(0.3)
    app.slider(key="by_hand.count").set_value(4).run()
    layer = nn.BatchNorm2d(SHAPES["convolution"][1], momentum=0.3)
    assert layer.running_mean is not None
    assert layer.running_var is not None
    layer(example("convolution"))
    assert f"= **{layer.running_mean[0]:.3f}**" in kept(app)
    assert f"= **{layer.running_var[0]:.3f}**" in kept(app)
    for _ in range(3):
        layer(example("convolution"))
    assert f"mean **{layer.running_mean[0]:.3f}**, variance **{layer.running_var[0]:.3f}**" in kept(
        app
    )
    assert "there it would be 0.7." in kept(app)


def test_one_batch_is_not_told_twice(open_page: Open) -> None:
    assert "batches like this one" not in kept(open_page("batch_norm", "Read"))
