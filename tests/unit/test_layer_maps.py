"""Maps in 256 steps a channel, reduced when they are looked at."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnlab import catalog, features, layer_maps
from cnnlab.training import checkpoint
from tests.unit.knobs import thin

any_maps = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9),
    elements=st.floats(width=32) | st.sampled_from([0.0, 1.0]),
)


@settings(deadline=None, max_examples=80)
@given(any_maps)
def test_values_come_back_within_half_a_step(array: np.ndarray[Any, Any]) -> None:
    kept = layer_maps.keep(torch.from_numpy(array))
    largest = layer_maps.LARGEST
    values = np.nan_to_num(array.astype(np.float64), nan=0).clip(-largest, largest)
    low, high = kept.low.double().numpy(), kept.high.double().numpy()
    np.testing.assert_allclose(low, values.min((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(high, values.max((1, 2)), rtol=1e-6)
    step = ((high - low) / layer_maps.STEPS)[:, None, None]
    back = low[:, None, None] + kept.codes.numpy() * step
    assert (np.abs(back - values) <= step * 0.501 + 1e-6 * np.abs(values)).all()
    assert kept.has_non_finite == (not np.isfinite(array).all())
    assert kept.nbytes == array.size
    assert torch.isfinite(kept.statistics.std).all()


def test_constant_and_dead_channels_are_told_apart_however_little_the_others_vary() -> None:
    nearly = torch.full((3, 3), 100.0)
    nearly[1, 1] = torch.nextafter(torch.tensor(100.0), torch.tensor(101.0))
    kept = layer_maps.keep(torch.stack([torch.zeros(3, 3), torch.ones(3, 3), torch.eye(3), nearly]))
    assert kept.constant.tolist() == [True, True, False, False]
    assert kept.dead.tolist() == [True, False, False, False]


@pytest.mark.parametrize("name", list(catalog.NETWORKS))
def test_one_pass_keeps_every_layer_that_extract_finds(name: str) -> None:
    spec = catalog.NETWORKS[name]
    options = thin(name, "small").replace(batch_norm=True)
    size = spec.default_image_size(options)
    model = spec.build(options, image_size=size)
    batch = torch.rand(1, options.in_channels, size, size)
    seen, exact = layer_maps.look(model, batch), features.extract(model, batch)
    kept = seen.maps
    assert [layer for layer in kept if layer in exact] == list(exact)
    for layer, maps in exact.items():
        assert kept[layer].shape == maps[0].shape
        torch.testing.assert_close(kept[layer].low, maps[0].amin((1, 2)))
        torch.testing.assert_close(
            kept[layer].statistics.zeros, features.channel_statistics(maps[0]).zeros
        )
    assert seen.logits is not None
    with torch.no_grad():
        torch.testing.assert_close(seen.logits, model.eval()(batch)[0])


def test_vectors_are_maps_of_one_pixel_in_running_order() -> None:
    model = catalog.build("lenet", "small")
    seen = layer_maps.look(model, torch.rand(1, 1, 32, 32))
    assert list(seen.maps)[-6:] == ["flatten", "fc1", "act3", "fc2", "act4", "fc3"]
    assert seen.maps["fc1"].shape == (120, 1, 1)
    assert seen.logits is not None
    torch.testing.assert_close(seen.maps["fc3"].low, seen.logits)


def test_without_the_head_there_are_neither_vectors_nor_logits() -> None:
    model = checkpoint.fresh("lenet", catalog.NETWORKS["lenet"].presets["small"], 32, 0, head=False)
    seen = layer_maps.look(model, torch.rand(1, 1, 32, 32))
    assert seen.logits is None
    assert all(maps.shape[-1] > 1 for maps in seen.maps.values())


def test_a_block_shares_the_maps_of_its_last_layer() -> None:
    spec = catalog.NETWORKS["resnet"]
    kept = layer_maps.look(spec.build(thin("resnet", "small")), torch.rand(1, 1, 32, 32)).maps
    assert kept["stage1.block1"] is kept["stage1.block1.act2"]
