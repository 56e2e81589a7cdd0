"""Receptive fields measured: which columns of a picture reach one value of a layer."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnnlab import catalog
from cnnlab.networks.densenet import DenseBlock, DenseNetOptions
from cnnlab.networks.inception import Inception, InceptionOptions
from cnnlab.networks.residual import Residual
from cnnlab.networks.resnet import ResNetOptions
from cnnlab.summary import summarize
from tests.unit.knobs import thin

NETWORKS = [
    ("lenet", {}, 28),
    ("lenet", {"kernel_size": 3, "pooling": "max"}, 40),
    ("alexnet", {}, 100),
    ("alexnet", {"stem_kernel_size": 3, "stem_stride": 1, "variant": "torchvision"}, 100),
    ("vgg", {"depth": 13}, 96),
    ("vgg", {"depth": 16, "adaptive_pool": True}, 112),
    ("nin", {"pointwise": 1}, 100),
    ("googlenet", {}, 96),
    ("googlenet", {"variant": "torchvision"}, 96),
    ("resnet", {"depth": 10}, 128),
    ("resnet", {"depth": 10, "stem": "3x3", "skip": False}, 64),
    ("resnet", {"depth": 50, "variant": "torchvision"}, 128),
    ("densenet", {"layers": "2-2-2"}, 128),
    ("densenet", {"layers": "2-2-2", "stem": "3x3", "bottleneck": True}, 64),
]


def measured(model: nn.Module, channels: int, size: int) -> dict[str, int]:
    """Most columns of the picture that reach any one value of each layer.

    Every weight is positive, nothing is added, and the pictures are black but for one white
    column each: a value is positive if and only if it sees that column.
    """
    model = model.double().eval()
    for name, weight in model.named_parameters():
        if weight.dim() > 1:
            nn.init.constant_(weight, 1 / weight[0].numel())
        else:
            nn.init.constant_(weight, float("norm" in name and name.endswith("weight")))
    fields: dict[str, int] = {}

    def count(name: str, y: Tensor) -> None:
        # (column of the picture, row of values)
        seen = y > 0 if y.dim() == 2 else (y[:, :, y.shape[2] // 2] > 0).any(1)
        columns = torch.arange(size)[:, None]
        last = torch.where(seen, columns, -1).amax(0)
        first = torch.where(seen, columns, size).amin(0)
        fields[name] = int((last - first + 1).max())

    for name, module in model.named_modules():
        if not list(module.children()):
            module.register_forward_hook(lambda _m, _x, y, name=name: count(name, y))
    pictures = torch.eye(size, dtype=torch.float64)[:, None, None].expand(-1, channels, size, -1)
    with torch.no_grad():
        model(pictures)
    for module in model.modules():
        module._forward_hooks.clear()
    return fields


def assert_fields(model: nn.Module, channels: int, size: int, at_least: int) -> None:
    table = summarize(model, (1, channels, size, size)).layers
    found = measured(model, channels, size)
    whole = 0
    for layer in table:
        if layer.receptive_field <= size // 2:
            assert found[layer.name] == layer.receptive_field, layer.name
            whole += 1
        else:
            # Some of it may lie outside the picture.
            assert found[layer.name] <= min(size, layer.receptive_field), layer.name
    assert whole >= at_least


@pytest.mark.parametrize(("name", "knobs", "size"), NETWORKS)
def test_networks(name: str, knobs: dict[str, Any], size: int) -> None:
    spec = catalog.NETWORKS[name]
    options = thin(name, "d2l").replace(activation="relu", **knobs)
    model = spec.build(options, image_size=size)
    assert_fields(model, 1, size, at_least=3)
    # The logits are a function of the whole picture.
    last = summarize(model.float(), (1, 1, size, size)).layers[-1]
    assert last.receptive_field >= size


def test_where_paths_meet_the_widest_counts() -> None:
    residual = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2),
        Residual(ResNetOptions(), 4, 4, stride=1),
        Residual(ResNetOptions(), 4, 8, stride=2),
        nn.Conv2d(8, 8, 3),
    )
    assert_fields(residual, 1, 90, at_least=15)
    assert summarize(residual.float(), (1, 1, 90, 90)).layers[-1].receptive_field == 31

    inception = nn.Sequential(
        nn.Conv2d(2, 4, 3, stride=2),
        Inception(InceptionOptions(), 4, (1, (1, 2), (2, 1), 2)),
        nn.MaxPool2d(3, stride=2, padding=1),
        Inception(InceptionOptions(variant="torchvision"), 6, (1, (1, 2), (2, 1), 2)),
        nn.Conv2d(6, 3, 3),
    )
    assert_fields(inception, 2, 90, at_least=28)
    assert summarize(inception.float(), (1, 2, 90, 90)).layers[-1].receptive_field == 31

    dense = nn.Sequential(
        DenseBlock(DenseNetOptions(growth_rate=2, bottleneck=True), 3, 1), nn.Conv2d(7, 1, 1)
    )
    assert_fields(dense, 1, 30, at_least=19)
    assert summarize(dense.float(), (1, 1, 30, 30)).layers[-1].receptive_field == 7


@pytest.mark.parametrize("wanted", [1, 6, 7])
@pytest.mark.parametrize("size", [3, 7, 8, 9, 10, 13, 14, 30])
def test_adaptive_pooling_whose_windows_do_not_divide_the_map(size: int, wanted: int) -> None:
    model = nn.Sequential(nn.AdaptiveAvgPool2d(wanted), nn.Flatten())
    pool, flat = summarize(model, (1, 1, size, size)).layers
    found = measured(model, 1, size)
    assert pool.receptive_field == found["0"]
    assert flat.receptive_field == size
