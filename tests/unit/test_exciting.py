"""The test pictures that excite a channel most."""

import pytest
import torch

from cnnlab import catalog, features
from cnnlab.datasets.augment import Augment, prepare
from cnnlab.errors import ConfigError
from cnnlab.explain.exciting import KEPT, affordable_pictures, most_exciting
from cnnlab.trace import trace_of
from cnnlab.training import checkpoint

PICTURES = 23


@pytest.mark.parametrize(("network", "layer"), [("lenet", "act2"), ("googlenet", "inception3a")])
def test_the_strongest_values_and_where_they_are(network: str, layer: str) -> None:
    spec = catalog.network(network)
    options, size = spec.preset("small"), spec.preset_image_size("small")
    model = checkpoint.fresh(network, options, size, seed=1)
    images = torch.randint(0, 256, (PICTURES, 1, 28, 28), dtype=torch.uint8)
    found = most_exciting(model, layer, images, size)
    batch = prepare(images, size, Augment(), torch.Generator())
    maps = features.extract(model, batch, [layer])[layer]
    assert found.seen == PICTURES
    assert found.map_size == tuple(maps.shape[2:])
    assert found.values.shape == found.pictures.shape == (maps.shape[1], KEPT)
    strongest = maps.amax((2, 3)).T.sort(1, descending=True).values[:, :KEPT]
    torch.testing.assert_close(found.values, strongest)
    channels = torch.arange(maps.shape[1])[:, None]
    rows, columns = found.places.unbind(-1)
    torch.testing.assert_close(maps[found.pictures, channels, rows, columns], found.values)


def test_fewer_pictures_than_are_kept() -> None:
    model = checkpoint.fresh("lenet", catalog.network("lenet").preset("small"), 32, seed=1)
    found = most_exciting(model, "conv1", torch.zeros(4, 1, 28, 28, dtype=torch.uint8), 32)
    assert found.pictures.shape == (6, 4)
    assert found.nbytes == 6 * 4 * (4 + 8 + 16)


def test_a_layer_without_maps_is_refused() -> None:
    model = checkpoint.fresh("lenet", catalog.network("lenet").preset("small"), 32, seed=1)
    with pytest.raises(ConfigError, match="fc1 makes no maps"):
        most_exciting(model, "fc1", torch.zeros(4, 1, 28, 28, dtype=torch.uint8), 32)


@pytest.mark.parametrize(
    ("network", "preset", "most"), [("lenet", "small", 500), ("resnet", "resnet18", 60)]
)
def test_as_many_pictures_as_are_affordable(network: str, preset: str, most: int) -> None:
    spec = catalog.network(network)
    found = trace_of(spec, spec.preset(preset), spec.preset_image_size(preset))
    assert 50 <= affordable_pictures(found) <= most


def test_too_few_pictures_say_little() -> None:
    spec = catalog.network("vgg")
    with pytest.raises(ConfigError, match=r"only \d+ could be looked at"):
        affordable_pictures(trace_of(spec, spec.preset("vgg11"), 224))
