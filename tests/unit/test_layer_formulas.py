"""The layer table's numbers as formulas: each gives the table's value again."""

import re
from math import ceil, floor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from cnnlab import catalog
from cnnlab.explain.layer_formulas import Formula, as_markdown, formulas
from cnnlab.networks.options import Options
from cnnlab.summary import Layer, layers
from cnnlab.trace import Trace, trace, trace_of
from tests.unit.knobs import PRESETS, THIN, random_options


def value_of(formula: Formula) -> int:
    """What the numbers give, read as a sum."""
    plain = formula.numbers.replace("·", "*").replace("−", "-")
    plain = re.sub("⌊(.*)⌋", r"floor(\1)", plain)
    plain = re.sub("⌈(.*)⌉", r"ceil(\1)", plain)
    assert re.fullmatch(r"(floor|ceil|[\d\s()+*/-])+", plain), formula
    return int(eval(plain, {"floor": floor, "ceil": ceil}))


def assert_given_again(found: Trace, layer: Layer) -> None:
    rows = {row.name: row for row in formulas(found, layer)}
    for row in rows.values():
        assert value_of(row) == row.value, (layer, row)
    assert rows["Parameters"].value == layer.params
    assert rows["MACs"].value == layer.macs
    assert rows["Memory (bytes)"].value == layer.activation_bytes
    sizes = [rows[n].value for n in ("Channels", "Rows", "Columns", "Features") if n in rows]
    assert tuple(sizes) == layer.output_shape[1:]


def every_layer(name: str, options: Options, size: int) -> None:
    found = trace_of(catalog.NETWORKS[name], options, size)
    for layer in layers(found).layers:
        assert_given_again(found, layer)


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_every_layer_of_every_preset(name: str, preset: str) -> None:
    spec = catalog.NETWORKS[name]
    every_layer(name, spec.presets[preset], spec.preset_image_size(preset))


@pytest.mark.parametrize("name", catalog.NETWORKS)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_knobs(name: str, data: st.DataObject) -> None:
    spec = catalog.NETWORKS[name]
    free = {key: knob for key, knob in THIN[name].items() if key != "width"}
    options = data.draw(random_options(name, **free, num_classes=3))
    size = spec.smallest_image_size(options) + data.draw(st.integers(0, 9))
    every_layer(name, options, min(size, 256))


def row_of(layer: nn.Module, name: str, size: int = 9) -> Formula:
    found = trace(nn.Sequential(layer), (1, 4, size, size))
    (only,) = layers(found).layers
    assert_given_again(found, only)
    return next(row for row in formulas(found, only) if row.name == name)


def test_what_stands_there() -> None:
    layer = nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2)
    assert row_of(layer, "Rows").numbers == "⌊(9 + 2 · 1 − 3) / 2⌋ + 1"
    assert row_of(layer, "Rows").rule == "⌊(n + 2p − k) / s⌋ + 1"
    assert row_of(layer, "Parameters").numbers == "6 · (2 · 3 · 3 + 1)"
    assert row_of(layer, "MACs").numbers == "6 · 5 · 5 · 2 · 3 · 3"
    assert row_of(nn.Flatten(), "Features").numbers == "4 · 9 · 9"
    assert row_of(nn.BatchNorm2d(4), "Parameters").numbers == "2 · 4"
    assert row_of(nn.AdaptiveAvgPool2d(3), "Rows").rule == "as asked for"


def test_windows_that_would_begin_beside_the_map() -> None:
    pool = nn.MaxPool2d(2, stride=3, padding=1, ceil_mode=True)
    assert row_of(pool, "Rows", size=9).numbers == "⌈(9 + 2 · 1 − 2) / 3⌉ + 1"
    assert row_of(pool, "Rows", size=10).numbers.endswith("− 1")
    assert row_of(nn.MaxPool2d(3, 2, ceil_mode=True), "Rows", size=10).value == 5


def test_windows_that_are_far_apart() -> None:
    assert (
        row_of(nn.Conv2d(4, 2, 3, dilation=2), "Rows").numbers == "⌊(9 − 2 · (3 − 1) − 1) / 1⌋ + 1"
    )
    assert row_of(nn.Conv2d(4, 2, 3, padding="same"), "Rows").value == 9


def test_as_markdown() -> None:
    found = trace(nn.Sequential(nn.Conv2d(4, 6, 3)), (1, 4, 9, 9))
    (layer,) = layers(found).layers
    text = as_markdown(layer, formulas(found, layer))
    assert text.startswith("**0** (Conv2d)\n\n| | Rule | With numbers | Result |\n")
    assert text.endswith("| Memory (bytes) | values · 4 | 6 · 7 · 7 · 4 | 1,176 |")
