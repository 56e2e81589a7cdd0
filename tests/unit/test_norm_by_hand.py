"""Batch normalization by hand is what PyTorch's layers do."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cnnlab.errors import ConfigError
from cnnlab.networks.batch_norm import BatchNorm
from cnnlab.norm_by_hand import (
    EPS,
    LAYER_KINDS,
    SHAPES,
    LayerKind,
    averaged,
    axes,
    example,
    running,
    standardized,
)

SIZES = {"fully_connected": (7, 4), "convolution": (3, 4, 5, 2)}
LAYERS = {"fully_connected": nn.BatchNorm1d, "convolution": nn.BatchNorm2d}


def drawn(kind: LayerKind, seed: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(SIZES[kind], generator=random) + 2


@pytest.mark.parametrize("kind", LAYER_KINDS)
@pytest.mark.parametrize("ours", [False, True])
@settings(max_examples=25, deadline=None)
@given(momentum=st.floats(0.01, 1), batches=st.integers(1, 5), seed=st.integers(0, 2**31))
def test_running_and_batch_statistics_are_those_of_the_layers(
    kind: LayerKind, ours: bool, momentum: float, batches: int, seed: int
) -> None:
    channels = SIZES[kind][1]
    layer: nn.Module = (
        BatchNorm(channels, eps=EPS, momentum=momentum)
        if ours
        else LAYERS[kind](channels, eps=EPS, momentum=momentum)
    )
    seen = [drawn(kind, seed + number) for number in range(batches)]
    for x in seen:
        expected = layer(x)
        torch.testing.assert_close(standardized(x), expected.detach(), atol=1e-4, rtol=1e-4)
    for channel in range(channels):
        found = running([averaged(x, channel) for x in seen], momentum)
        for name, value in (("running_mean", found.mean), ("running_var", found.variance)):
            theirs = layer.get_buffer(name)[channel].item()
            assert value == pytest.approx(theirs, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("kind", LAYER_KINDS)
def test_the_mean_is_taken_over_all_axes_but_the_channels(kind: LayerKind) -> None:
    x = example(kind)
    assert tuple(x.shape) == SHAPES[kind]
    assert axes(x) == ((0,) if kind == "fully_connected" else (0, 2, 3))
    for channel in range(3):
        found = averaged(x, channel)
        assert len(found.values) == x.numel() // 3
        assert found.mean == pytest.approx(x.mean(axes(x))[channel].item(), rel=1e-6)
        assert found.biased == pytest.approx(x.var(axes(x), correction=0)[channel].item(), rel=1e-6)
        assert found.unbiased == pytest.approx(x.var(axes(x))[channel].item(), rel=1e-6)
        assert found.squares.sum().item() == pytest.approx(found.biased * len(found.values))


@pytest.mark.parametrize("kind", LAYER_KINDS)
def test_the_example_has_no_channel_without_spread(kind: LayerKind) -> None:
    assert all(averaged(example(kind), channel).biased > 1 for channel in range(3))


def test_a_momentum_of_0_keeps_the_start_and_1_the_last_batch() -> None:
    one, other = (averaged(drawn("convolution", seed), 0) for seed in (1, 2))
    assert running([one, other], 0.0) == running([], 0.5)
    assert running([one, other], 1.0) == running([other], 1.0)
    assert running([other], 1.0).variance == other.unbiased


@pytest.mark.parametrize(
    ("x", "channel", "words"),
    [
        (torch.zeros(2, 3, 4), 0, r"\(2, 3, 4\) was given"),
        (torch.zeros(2, 3), 3, "it can be 0 to 2"),
        (torch.zeros(2, 3), -1, "it can be 0 to 2"),
        (torch.zeros(1, 3), 0, "One number has no variance"),
    ],
)
def test_what_cannot_be_averaged(x: torch.Tensor, channel: int, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        averaged(x, channel)


@pytest.mark.parametrize("momentum", [-0.1, 1.1, float("nan")])
def test_a_momentum_that_is_none(momentum: float) -> None:
    with pytest.raises(ConfigError, match="it can be 0 to 1"):
        running([], momentum)
