"""Networks with drawn weights share those that are the same numbers, and only those."""

import gc
import threading

import pytest
import torch
from torch import nn

from cnnlab import catalog
from cnnlab.training import checkpoint, shared_weights
from tests.unit.knobs import PRESETS


def size_of(name: str, preset: str) -> int:
    spec = catalog.NETWORKS[name]
    return max(64, spec.smallest_image_size(spec.presets[preset]))


@pytest.mark.parametrize(("name", "preset"), [case for case in PRESETS if case[1] == "small"])
def test_they_are_the_weights_of_a_run(name: str, preset: str) -> None:
    options, size = catalog.NETWORKS[name].presets[preset], size_of(name, preset)
    own = checkpoint.fresh(name, options, size, 3).state_dict()
    shared = checkpoint.fresh(name, options, size, 3, shared=True)
    assert not shared.training
    found = shared.state_dict()
    assert own.keys() == found.keys()
    assert all(torch.equal(own[name], found[name]) for name in own)


def weights_of(model: nn.Module) -> dict[str, int]:
    layers = ((p, m) for p, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear))
    return {path: id(module.weight) for path, module in layers}


def test_another_knob_draws_only_what_it_changes() -> None:
    small = catalog.NETWORKS["resnet"].presets["small"]
    one = checkpoint.fresh("resnet", small, 64, 0, shared=True)
    other = checkpoint.fresh("resnet", small.replace(num_classes=7), 64, 0, shared=True)
    ours, theirs = weights_of(one), weights_of(other)
    (last,) = {path for path in ours if ours[path] != theirs[path]}
    assert isinstance(one.get_submodule(last), nn.Linear)
    seeded = weights_of(checkpoint.fresh("resnet", small, 64, 1, shared=True))
    assert not set(ours.values()) & set(seeded.values())


def test_what_a_run_trains_is_its_own() -> None:
    small = catalog.NETWORKS["nin"].presets["small"]
    shared = checkpoint.fresh("nin", small, 64, 0, shared=True)
    trained = checkpoint.fresh("nin", small, 64, 0)
    assert not set(weights_of(shared).values()) & set(weights_of(trained).values())


def test_nothing_is_kept_of_a_network_that_is_gone() -> None:
    gc.collect()
    before = len(shared_weights._DRAWN)
    small = catalog.NETWORKS["vgg"].presets["small"]
    model = checkpoint.fresh("vgg", small, 64, 987, shared=True)
    assert len(shared_weights._DRAWN) > before
    del model
    gc.collect()
    assert len(shared_weights._DRAWN) == before


def test_a_pass_is_the_same_with_the_other_layout() -> None:
    d2l, x = (
        catalog.NETWORKS["resnet"].presets["d2l"].replace(in_channels=3),
        torch.rand(1, 3, 96, 96),
    )
    own = checkpoint.fresh("resnet", d2l, 96, 0)
    shared = checkpoint.fresh("resnet", d2l, 96, 0, shared=True)
    first = next(shared.parameters())
    assert first.is_contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        torch.testing.assert_close(shared(x), own(x), rtol=1e-4, atol=1e-4)


def test_threads_draw_at_once() -> None:
    small = catalog.NETWORKS["densenet"].presets["small"]
    expected = checkpoint.fresh("densenet", small, 64, 5).state_dict()
    start, same = threading.Barrier(6), []

    def work() -> None:
        start.wait(10)
        found = checkpoint.fresh("densenet", small, 64, 5, shared=True).state_dict()
        same.append(all(torch.equal(expected[name], found[name]) for name in expected))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert same == [True] * 6


@pytest.mark.parametrize(
    ("name", "changes"),
    [("lenet", {"kernel_size": 3}), ("lenet", {"in_channels": 3}), ("vgg", {"in_channels": 3})],
)
def test_another_shape_of_the_weight_is_another_bias(name: str, changes: dict[str, int]) -> None:
    """How wide a bias is drawn depends on how many values its weight reads."""
    small = catalog.NETWORKS[name].presets["small"]
    other = small.replace(**changes)
    own = checkpoint.fresh(name, small, 64, 0).state_dict()
    there = [checkpoint.fresh(name, one, 64, 0, shared=True) for one in (small, other)]
    found = checkpoint.fresh(name, small, 64, 0, shared=True).state_dict()
    assert len(there) == 2
    assert all(torch.equal(own[key], found[key]) for key in own)
