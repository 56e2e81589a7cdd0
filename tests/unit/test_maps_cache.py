"""What visitors share of passes: the small layers with the pass, large ones for themselves."""

import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import Mock, patch

import pytest
import torch
from torch import nn

from cnnlab import catalog, layer_maps
from pages.components import exciting_pictures, maps_cache, state, turns, what_mattered
from pages.components.byte_cache import ByteCache
from pages.components.exciting_pictures import Asked
from pages.components.maps_cache import Pass, Weights
from pages.components.what_mattered import Question


@pytest.fixture
def again(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mock]:
    """How often a layer is made again; nothing is kept from one test to the next."""
    monkeypatch.setattr(state, "visitor", object)
    again = Mock(wraps=layer_maps.layer_again)
    monkeypatch.setattr(layer_maps, "layer_again", again)
    caches = (maps_cache.maps_cache, maps_cache.large_cache, maps_cache.weights_cache)
    for cache in caches:
        cache.clear()
    yield again
    for cache in caches:
        cache.clear()


def passed(seed: int = 0) -> Pass:
    """A pass with large layers and small ones."""
    spec = catalog.NETWORKS["resnet"]
    options = spec.presets["small"].replace(base_channels=32)
    return Pass(Weights("resnet", options, 64, seed), torch.rand(1, options.in_channels, 64, 64))


def test_a_large_layer_is_made_again_once_and_kept(again: Mock) -> None:
    asked = passed()
    maps = maps_cache.maps_of(asked)
    assert maps["stem.conv"] is maps_cache.maps_of(asked)["stem.conv"]
    assert again.call_count == 1
    # The block's output is that of its last layer.
    assert maps["stage1.block1"] is maps["stage1.block1.act2"]
    assert again.call_count == 2
    assert maps_cache.large_cache().used_bytes == 2 * 32 * 64 * 64
    assert maps_cache.maps_cache().used_bytes == maps_cache.seen_of(asked).nbytes


def test_what_is_kept_of_a_pass_keeps_no_model(again: Mock) -> None:
    asked = passed()
    maps = maps_cache.maps_of(asked)
    model = weakref.ref(maps_cache.model_of(asked.weights))
    maps_cache.weights_cache.clear()
    gc.collect()
    assert model() is None
    assert maps["stem.conv"].shape == (32, 64, 64), "it is loaded when it is needed"
    assert again.call_count == 1


def test_visitors_who_ask_for_layers_in_any_order_do_not_wait_for_each_other(again: Mock) -> None:
    asked = [passed(seed) for seed in range(2)]
    layers = ["stem.conv", "stage4.block1.conv1", "stage1.block1.act1", "fc"]

    def look(number: int) -> int:
        order = layers if number % 2 else layers[::-1]
        mine = asked if number % 4 < 2 else asked[::-1]
        return sum(len(maps_cache.maps_of(one)[name].low) for name in order for one in mine)

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(look, number) for number in range(16)]
        found = {one.result(timeout=60) for one in running}
    assert len(found) == 1
    assert again.call_count == 4, "two large layers of each pass"


def test_a_key_holds_no_picture() -> None:
    one, same = passed(), passed()
    other = Pass(one.weights, same.batch)
    again = Pass(one.weights, one.batch.clone())
    assert one.key == again.key != other.key

    def tensors(held: object) -> bool:
        parts = held if isinstance(held, tuple) else vars(held).values() if is_ours(held) else ()
        return isinstance(held, torch.Tensor) or any(tensors(part) for part in parts)

    def is_ours(held: object) -> bool:
        return type(held).__module__.startswith("pages.")

    assert tensors(one)
    assert not tensors(one.key)


def test_the_picture_of_a_pass_counts_where_its_maps_are_kept(again: Mock) -> None:
    asked = passed()
    seen = maps_cache.seen_of(asked)
    assert seen.nbytes == seen.maps.nbytes + 4 * asked.batch.numel()
    assert not again.called


class Told(Exception):
    """Raised instead of a turn, with how long the work is said to take."""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes passes by the dozen is kept in a cache that has nothing and makes nothing."""

    def turn(seconds: float) -> AbstractContextManager[None]:
        raise Told(seconds)

    cache: ByteCache[Any] = ByteCache(10, lambda _: 1, turn)
    monkeypatch.setattr(exciting_pictures, "kept", lambda: cache)
    monkeypatch.setattr(what_mattered, "maps", lambda: cache)


@pytest.mark.usefixtures("told")
def test_what_takes_passes_by_the_dozen_is_no_short_pass() -> None:
    asked = passed()
    with pytest.raises(Told) as exciting:
        exciting_pictures.exciting_of(Asked(asked.weights, "stem.conv", "shapes"))
    with pytest.raises(Told) as mattered:
        what_mattered.map_of(Question(asked, "Grad-CAM", 0))
    assert min(*exciting.value.args, *mattered.value.args) > turns.LONG_S


def test_weights_lie_as_small_pictures_want_them(again: Mock) -> None:
    """Those of a file too: drawn ones are made that way."""
    weights = Weights("lenet", catalog.NETWORKS["lenet"].presets["small"], 32)
    conv = nn.Conv2d(3, 4, 3)
    assert not conv.weight.is_contiguous(memory_format=torch.channels_last)
    with patch.object(Weights, "load", lambda _: nn.Sequential(conv)):
        (weight, _) = maps_cache.model_of(weights).parameters()
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert not again.called
