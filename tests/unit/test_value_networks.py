"""One value of any node of the catalog's networks taken apart gives the network's own number."""

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnlab import catalog
from cnnlab.explain.arithmetic import Activation, Combined, Dropout, Joined, Normalization, Passed
from cnnlab.explain.capture import capture
from cnnlab.explain.receptive import Place
from cnnlab.explain.value import origins, value
from cnnlab.trace import trace
from tests.unit.knobs import THIN, random_options
from tests.unit.taken_apart import assert_taken_apart, drawn, lively

ANY_NETWORK = pytest.mark.parametrize("name", catalog.NETWORKS)


def every_node(name: str, options: Any, size: int, seed: int, most: int = 1000) -> None:
    torch.manual_seed(seed)
    model = lively(catalog.NETWORKS[name].build(options, image_size=size), seed)
    random = drawn(seed)
    batch = torch.rand(1, options.in_channels, size, size, generator=random)
    nodes = trace(model, tuple(batch.shape)).nodes
    step = -(-len(nodes) // most)
    for node in range(seed % step, len(nodes), step):
        captured = capture(model, batch, node)
        assert (captured.node.path, captured.node.operation) == (
            nodes[node].path,
            nodes[node].operation,
        )
        assert tuple(captured.output.shape) == nodes[node].output_shape
        assert_taken_apart(captured, random)


@ANY_NETWORK
def test_every_node_of_the_small_preset(name: str) -> None:
    spec = catalog.NETWORKS[name]
    every_node(name, spec.presets["small"], spec.preset_image_size("small"), seed=0)


@ANY_NETWORK
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_knobs(name: str, data: st.DataObject) -> None:
    spec = catalog.NETWORKS[name]
    free = {key: knob for key, knob in THIN[name].items() if key != "width"}
    options = data.draw(random_options(name, **free, in_channels=2, num_classes=3))
    if "width" in THIN[name]:
        options = options.replace(width=0.125)
    size = spec.smallest_image_size(options) + data.draw(st.integers(0, 9))
    every_node(name, options, min(size, 128), data.draw(st.integers(0, 99)), most=10)


@pytest.mark.parametrize("name", ["lenet", "nin", "resnet", "densenet"])
def test_the_values_that_a_value_was_made_of_are_found(name: str) -> None:
    spec = catalog.NETWORKS[name]
    knobs = {"shortcut": "zero-padded"} if name == "resnet" else {}
    options, size = spec.presets["small"].replace(**knobs), spec.preset_image_size("small")
    torch.manual_seed(1)
    model = lively(spec.build(options, image_size=size), 1)
    batch = torch.rand(1, 1, size, size)
    found, kinds = trace(model, tuple(batch.shape)), set()
    for node in range(1, len(found.nodes), 2 if len(found.nodes) > 30 else 1):
        taken = value(capture(model, batch, node), Place(found.nodes[node].output_shape[1] - 1))
        made = taken.arithmetic
        before = [
            value(capture(model, batch, source), place).given
            for source, place in origins(found, node, taken)
        ]
        match made:
            case Activation() | Normalization() | Dropout():
                assert before == [pytest.approx(made.x)]
            case Combined():
                assert before == pytest.approx(list(made.values))
            case Joined() | Passed():
                assert before == [pytest.approx(made.result)] or not getattr(made, "source", True)
            case _:
                assert before == []
        kinds.add(type(made))
    assert len(kinds) > 3
