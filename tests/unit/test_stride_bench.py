"""The bench of windows: sizes as PyTorch makes them, and rows that no window reads."""

import re
from math import floor

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from cnnlab.errors import ConfigError
from cnnlab.explain.stride_bench import LARGEST, PRESETS, Bench, example

KNOBS = {
    "size": st.integers(1, LARGEST),
    "kernel_size": st.integers(1, 7),
    "stride": st.integers(1, 5),
    "padding": st.integers(0, 4),
    "dilation": st.integers(1, 3),
}


def convolution(bench: Bench) -> nn.Conv2d:
    return nn.Conv2d(
        1, 1, bench.kernel_size, bench.stride, bench.padding, bench.dilation, bias=False
    ).double()


def drawn(**knobs: int) -> Bench:
    try:
        return Bench(**knobs)
    except ConfigError:
        assume(False)
        raise


def rows_read(bench: Bench) -> list[bool]:
    """The support of the gradient of the sum of all outputs, with positive weights."""
    layer = convolution(bench)
    nn.init.ones_(layer.weight)
    picture = torch.zeros(1, 1, bench.size, bench.size, dtype=torch.float64, requires_grad=True)
    layer(picture).sum().backward()
    assert picture.grad is not None
    return [bool(row) for row in (picture.grad[0, 0] > 0).any(1)]


@settings(max_examples=150, deadline=None)
@given(**KNOBS)
def test_size_and_rows_are_pytorchs(**knobs: int) -> None:
    bench = drawn(**knobs)
    found = example(bench)
    layer = convolution(bench)
    with torch.no_grad():
        layer.weight[0, 0] = found.kernel
        expected = layer(found.picture[None, None].double())[0, 0]
    assert expected.shape == (bench.output, bench.output)
    torch.testing.assert_close(found.output.double(), expected)
    assert bench.visited.tolist() == rows_read(bench)


@settings(max_examples=80, deadline=None)
@given(**KNOBS)
def test_the_formula_gives_the_size(**knobs: int) -> None:
    bench = drawn(**knobs)
    *steps, result = bench.formula.split(" = ")
    assert int(result) == bench.output
    for step in steps:
        plain = step.replace("·", "*").replace("−", "-").replace("⌊", "floor(").replace("⌋", ")")
        assert re.fullmatch(r"[floor\d\s()+*/.-]+", plain)
        assert eval(plain, {"floor": floor}) == bench.output


@pytest.mark.parametrize(
    ("preset", "output", "unread"),
    [("book", 54, [222, 223]), ("paper", 54, [223]), ("fits", 55, [])],
)
def test_alexnets_first_layer(preset: str, output: int, unread: list[int]) -> None:
    bench = PRESETS[preset]
    assert bench.output == output
    assert [row for row, read in enumerate(bench.visited) if not read] == unread
    assert rows_read(bench) == bench.visited.tolist()


def test_windows_that_do_not_fit() -> None:
    with pytest.raises(ConfigError, match="spans 7 pixels; the picture with its padding has 6"):
        Bench(4, 3, padding=1, dilation=3)
    with pytest.raises(ConfigError, match="stride: 0 was given; it can be 1 to 16"):
        Bench(4, 3, stride=0)
    with pytest.raises(ConfigError, match="numbers are shown up to 16"):
        example(PRESETS["book"])
