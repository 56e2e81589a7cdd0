"""The detour around oneDNN's fault: the same values, in the layers that need it and no others."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnlab import catalog
from cnnlab.training import RunConfig
from cnnlab.training.strided_convolutions import Subsampled, avoid
from cnnlab.training.trainer import Trainer
from tests.unit.probing import small_data

CPU = torch.device("cpu")


def detours(network: str, layout: torch.memory_format, **knobs: Any) -> list[str]:
    """The layers of a run's network that go around."""
    options = catalog.NETWORKS[network].preset("small").replace(**knobs)
    config = RunConfig(network=network, options=options, train_size=32, batch_size=2, device="cpu")
    model = Trainer(config, small_data(), torch.float32, layout).model
    return [path for path, module in model.named_modules() if isinstance(module, Subsampled)]


@pytest.mark.parametrize(
    ("knobs", "layers"),
    [
        ({"base_channels": 8}, ["stage2.block1.shortcut"]),
        ({"base_channels": 4}, ["stage2.block1.shortcut", "stage3.block1.shortcut"]),
        ({"base_channels": 15, "variant": "torchvision"}, ["stage2.block1.shortcut.conv"]),
        ({"base_channels": 16}, []),
        # Bottlenecks are four times as wide where they have a stride.
        ({"base_channels": 4, "depth": 50}, []),
        ({"base_channels": 8, "shortcut": "zero-padded"}, []),
    ],
)
def test_narrow_strided_1x1_convolutions_go_around(
    knobs: dict[str, Any], layers: list[str]
) -> None:
    assert detours("resnet", torch.channels_last, **knobs) == layers
    assert detours("resnet", torch.contiguous_format, **knobs) == []


@pytest.mark.parametrize("network", [name for name in catalog.NETWORKS if name != "resnet"])
def test_other_networks_have_no_such_layer(network: str) -> None:
    assert detours(network, torch.channels_last) == []


def test_a_gpu_has_no_such_fault() -> None:
    model = nn.Conv2d(8, 16, 1, stride=2)
    avoid(model, torch.device("cuda"), torch.channels_last)
    assert type(model) is nn.Conv2d


@pytest.mark.parametrize("side", [6, 7])
@pytest.mark.parametrize("stride", [2, 3])
def test_values_and_gradients_are_those_of_the_convolution(side: int, stride: int) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 5, 1, stride=stride).double()
    images = torch.rand(2, 3, side, side, dtype=torch.float64)

    def found() -> list[Tensor]:
        x = images.clone().requires_grad_()
        y = layer(x)
        (y**2).sum().backward()
        assert layer.bias is not None
        tensors = [y.detach(), x.grad, layer.weight.grad, layer.bias.grad]
        layer.zero_grad()
        return [tensor for tensor in tensors if tensor is not None]

    expected = found()
    avoid(layer, CPU, torch.channels_last)
    assert isinstance(layer, Subsampled)
    for one, other in zip(found(), expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("kernel", [3, 5])
def test_windows_of_more_than_one_pixel_stay(kernel: int) -> None:
    layer = nn.Conv2d(3, 5, kernel, stride=2, padding=kernel // 2)
    avoid(layer, CPU, torch.channels_last)
    assert type(layer) is nn.Conv2d
