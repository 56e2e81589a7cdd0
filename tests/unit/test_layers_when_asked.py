"""Layers are reduced when they are asked for, and large ones are made again."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from cnnlab import catalog, features, layer_maps
from cnnlab.compare import pictures
from cnnlab.layer_maps import LARGEST, LayerMaps, Layers, Output
from pages.components import layer_strip
from tests.unit.test_layer_maps import any_maps


def small(network: str) -> tuple[nn.Module, Tensor]:
    """A network's small preset, and a picture for it."""
    spec = catalog.NETWORKS[network]
    options = spec.presets["small"]
    size = spec.default_image_size(options)
    picture = torch.rand(1, options.in_channels, size, size)
    return spec.build(options, image_size=size), picture


def counted(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Counts how often maps are reduced."""
    keep = Mock(wraps=layer_maps.keep)
    monkeypatch.setattr(layer_maps, "keep", keep)
    return keep


def all_numbers(maps: LayerMaps) -> tuple[Tensor, ...]:
    found = maps.statistics
    return maps.low, maps.high, found.mean, found.std, found.zeros


def test_only_a_layer_that_is_looked_at_is_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    keep = counted(monkeypatch)
    maps = layer_maps.look(*small("resnet")).maps
    layer_strip.thumbnails(maps)
    pictures.by_size(32, maps)
    assert "stem.conv" in maps
    assert "nowhere" not in maps
    assert len(maps) == len(list(maps)) > 20
    assert keep.call_count == 0
    assert maps["stem.conv"] is maps["stem.conv"]
    assert keep.call_count == 1
    assert maps["stage1.block1"] is maps["stage1.block1.act2"]
    assert keep.call_count == 2
    assert maps.get("nowhere") is None


@pytest.mark.parametrize("limit", ["SMALL", "WAITING"])
@pytest.mark.parametrize("network", list(catalog.NETWORKS))
def test_layers_are_what_they_were_when_they_ran(
    network: str, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some wait and some are made again, by either limit; nothing later has written into them."""
    model, picture = small(network)
    exact: dict[str, tuple[LayerMaps, Tensor]] = {}

    def note(name: str, y: Tensor) -> None:
        maps = layer_maps.as_maps(y)
        exact[name] = layer_maps.keep(maps), maps.mean(0)

    features.visit(model, picture, note, vectors=True)
    exact.pop("", None)
    half = sorted(maps.nbytes for maps, _ in exact.values())[len(exact) // 2]
    monkeypatch.setattr(layer_maps, limit, {"SMALL": half, "WAITING": 10 * half}[limit])
    again = Mock(side_effect=lambda name: layer_maps.layer_again(model, picture, name))
    seen = layer_maps.look(model, picture, again)
    assert list(seen.maps) == list(exact)
    for name, (maps, mean) in exact.items():
        assert seen.maps.shape(name) == maps.shape
        assert torch.equal(seen.maps.mean(name), mean)
        vector = seen.maps.vector(name)
        assert (vector is not None) == (maps.shape[1:] == (1, 1))
        assert vector is None or torch.equal(vector, maps.low)
        found = seen.maps[name]
        # A step apart at most, where a value lies between two of them.
        torch.testing.assert_close(found.codes.int(), maps.codes.int(), atol=1, rtol=0)
        torch.testing.assert_close(all_numbers(found), all_numbers(maps))
    assert 0 < again.call_count < len(exact)


class Counting(nn.Module):
    """Passes on what it gets, and remembers that it ran."""

    def __init__(self, ran: Callable[[], object]) -> None:
        super().__init__()
        self.ran = ran

    def __deepcopy__(self, _memo: object) -> "Counting":
        return Counting(self.ran)

    def forward(self, x: Tensor) -> Tensor:
        self.ran()
        return x * 1


def test_a_layer_is_made_again_by_a_pass_that_ends_there() -> None:
    before, after = Mock(), Mock()
    model = nn.Sequential(
        OrderedDict(a=Counting(before), b=nn.Conv2d(1, 2, 3), c=nn.ReLU(), d=Counting(after))
    )
    picture = torch.rand(1, 1, 8, 8)
    exact = layer_maps.look(model, picture).maps["b"]
    assert (before.call_count, after.call_count) == (1, 1)
    found = layer_maps.layer_again(model, picture, "b")
    assert (before.call_count, after.call_count) == (2, 1)
    assert torch.equal(found.codes, exact.codes)


def test_eight_who_ask_at_once_have_it_reduced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = layer_maps.look(*small("lenet")).maps
    keep, begin = counted(monkeypatch), threading.Barrier(8)

    def ask(_: int) -> LayerMaps:
        begin.wait()
        return maps["conv1"]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert keep.call_count == 1
    assert all(one is found[0] for one in found)


@settings(deadline=None, max_examples=80)
@given(any_maps)
def test_a_mean_copes_with_what_is_no_number(array: np.ndarray[Any, Any]) -> None:
    values = torch.from_numpy(array)
    mean = layer_maps.mean_of(values)
    assert mean.isfinite().all()
    finite = values[values.isfinite()]
    if (finite.abs() <= LARGEST).all():
        numbers = np.nan_to_num(array.astype(np.float64), nan=0).clip(-LARGEST, LARGEST)
        np.testing.assert_allclose(mean, numbers.mean(0), rtol=1e-4, atol=LARGEST * 1e-6)
    assert layer_strip.coded(mean[None]).shape[0] == 1


@pytest.mark.parametrize("most", [0, layer_maps.SMALL])
def test_a_network_that_ran_away_is_looked_at(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_maps, "SMALL", most)
    model, picture = small("lenet")
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(1e30)
    seen = layer_maps.look(model, picture)
    assert any(layer.has_non_finite for layer in seen.maps.values())
    for name in seen.maps:
        assert seen.maps.mean(name).isfinite().all()
        vector = seen.maps.vector(name)
        assert vector is None or torch.equal(vector, seen.maps[name].low)
    assert len(layer_strip.thumbnails(seen.maps)) == len(seen.maps)


def held_bytes(maps: Layers) -> int:
    """Memory of all tensors that can be reached."""
    tensors: dict[int, Tensor] = {}
    for name in maps:
        output = maps._outputs[name]
        found = [output.mean, output.vector, output._values]
        if output._maps is not None:
            found += [output._maps.codes, *all_numbers(output._maps)]
        tensors |= {t.untyped_storage().data_ptr(): t for t in found if t is not None}
    return sum(tensor.untyped_storage().nbytes() for tensor in tensors.values())


@pytest.mark.parametrize("network", list(catalog.NETWORKS))
def test_no_more_is_held_than_was_said(network: str) -> None:
    seen = layer_maps.look(*small(network))
    said = seen.nbytes
    assert 0 < held_bytes(seen.maps) <= said
    for layer in seen.maps.values():
        assert layer.codes.any() or layer.constant.any() or layer.shape[1:] == (1, 1)
    assert held_bytes(seen.maps) <= said == seen.nbytes
    assert all(output._values is None for output in seen.maps._outputs.values())


def test_of_a_large_layer_its_mean_alone_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_maps, "SMALL", 0)
    seen = layer_maps.look(*small("vgg"))
    assert held_bytes(seen.maps) <= seen.nbytes
    list(seen.maps.values())
    values = sum(np.prod(seen.maps.shape(name)) for name in seen.maps)
    assert held_bytes(seen.maps) < values / 2


def test_what_two_names_share_is_counted_once() -> None:
    output = Output("layer", torch.rand(2, 8, 8), waits=True)
    alone, shared = (Layers(dict.fromkeys(names, output), Mock()) for names in ("a", "ab"))
    assert len(shared) == 2
    assert shared.nbytes == alone.nbytes


def test_a_part_does_not_hold_the_whole() -> None:
    whole = torch.rand(64, 8, 8)
    output = Output("part", whole[:1], waits=True)
    assert output._values is not None
    assert output._values.untyped_storage().nbytes() == 8 * 8 * 4
    assert Output("whole", whole, waits=True)._values is whole, "nothing is copied without need"
