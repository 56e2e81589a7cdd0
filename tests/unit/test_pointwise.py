"""A 1×1 convolution is a fully-connected layer at every pixel."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cnnlab import images
from cnnlab.errors import ConfigError
from cnnlab.networks.nin import NiNBlock
from cnnlab.pointwise import IMAGE_SIZE, IN_CHANNELS, as_fully_connected, before, block, both, layer

PICTURES = images.samples()


def batch_of(sample: images.Sample) -> torch.Tensor:
    picture = images.decode(sample.path.read_bytes())
    return images.to_batch(picture, IMAGE_SIZE, IN_CHANNELS)


@pytest.mark.parametrize("sample", PICTURES, ids=lambda sample: sample.name)
def test_both_agree_but_for_rounding(sample: images.Sample) -> None:
    found = both(batch_of(sample))
    assert found.convolved.shape == found.connected.shape == (24, 30, 30)
    assert found.convolved.std() > 0.01
    assert found.largest_difference < 1e-5
    apart = (found.convolved.double() - found.connected.double()).abs()
    assert found.largest_difference == pytest.approx(apart.max().item(), abs=1e-9)


def test_it_is_the_layer_of_the_network_itself() -> None:
    batch = batch_of(PICTURES[0])
    found = both(batch)
    assert isinstance(block(), NiNBlock)
    noted = {}

    def note(_module: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        noted["maps"], noted["output"] = inputs[0][0], output[0]

    handle = layer().register_forward_hook(note)
    with torch.no_grad():
        block()(batch)
    handle.remove()
    torch.testing.assert_close(found.maps, noted["maps"])
    torch.testing.assert_close(found.convolved, noted["output"])
    torch.testing.assert_close(before(batch)[0], noted["maps"])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 23), st.integers(0, 29), st.integers(0, 29))
def test_the_products_of_a_pixel_add_up_to_both(channel: int, row: int, column: int) -> None:
    found = both(batch_of(PICTURES[1]))
    total = math.fsum(found.products(channel, row, column).tolist()) + float(found.bias[channel])
    assert float(found.convolved[channel, row, column]) == pytest.approx(total, abs=1e-6)
    assert float(found.connected[channel, row, column]) == pytest.approx(total, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 6), st.integers(0, 2**31))
def test_any_pointwise_convolution_is_a_fully_connected_layer(
    channels: int, outputs: int, side: int, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)
    convolution = nn.Conv2d(channels, outputs, 1)
    maps = torch.randn(2, channels, side, side, generator=random)
    with torch.no_grad():
        expected = convolution(maps).permute(0, 2, 3, 1)
        torch.testing.assert_close(
            as_fully_connected(convolution)(maps.permute(0, 2, 3, 1)),
            expected,
            atol=1e-5,
            rtol=1e-5,
        )


def test_the_two_share_one_set_of_weights() -> None:
    convolution = nn.Conv2d(3, 2, 1)
    connected = as_fully_connected(convolution)
    with torch.no_grad():
        convolution.weight += 1
    assert torch.equal(connected.weight, convolution.weight[:, :, 0, 0])


def test_the_callers_random_numbers_stay() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    both(batch_of(PICTURES[0]))
    assert torch.equal(torch.rand(1), expected)


def test_a_picture_of_another_shape() -> None:
    with pytest.raises(ConfigError, match=r"\(1, 1, 64, 64\) was given; it has to be"):
        both(torch.zeros(1, 1, 64, 64))


@pytest.mark.parametrize(
    "wrong", [nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 1, groups=2), nn.Conv2d(4, 4, 1, bias=False)]
)
def test_a_convolution_that_is_none_of_these(wrong: nn.Conv2d) -> None:
    with pytest.raises(ConfigError, match="1×1 convolution of one group"):
        as_fully_connected(wrong)
