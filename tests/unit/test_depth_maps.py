"""Depth maps from measurements worked out by hand, and from a real run."""

import math

import numpy as np
import pytest

from cnnlab.runs.depth_maps import HISTOGRAMS, QUANTITIES, Quantity, depth_map, histograms
from cnnlab.training import RunConfig, train
from cnnlab.training.events import Measurement
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe
from cnnlab.training.probes.samples import BINS

GRADIENT = QUANTITIES[0]


def measured(step: int, layer: str, **values: float | list[int]) -> Measurement:
    return Measurement(
        step=step, epoch=0.0, elapsed_s=0.0, kind="layer_statistics", layer=layer, values=values
    )


def test_layers_down_and_steps_to_the_right() -> None:
    found = depth_map(
        [
            measured(1, "conv", gradient_norm=0.01, std=1.0),
            measured(1, "fc", gradient_norm=1.0),
            measured(5, "conv", gradient_norm=0.001),
            measured(5, "fc", gradient_norm=0.0),
        ],
        GRADIENT,
    )
    assert (found.layers, found.steps) == (("conv", "fc"), (1, 5))
    # In powers of ten; nothing at all has none.
    np.testing.assert_allclose(found.values, [[-2.0, -3.0], [0.0, math.nan]])


def test_a_step_that_a_layer_was_not_seen_at_is_left_empty() -> None:
    found = depth_map(
        [measured(1, "a", zeros=0.25), measured(2, "b", zeros=0.5)], Quantity("Zeros", "zeros")
    )
    np.testing.assert_equal(found.values, [[0.25, math.nan], [math.nan, 0.5]])


def test_nothing_observed() -> None:
    found = depth_map([], GRADIENT)
    assert (found.layers, found.steps, found.values.shape) == ((), (), (0, 0))
    assert histograms([], "conv", "weights") is None


def test_histograms_are_shares() -> None:
    bins = [0] * BINS
    bins[3], bins[4] = 30, 10
    found = histograms([measured(7, "conv", weights=bins)], "conv", "weights")
    assert found is not None
    assert found.steps == (7,)
    assert found.values[3, 0] == 0.75
    assert found.values.sum() == pytest.approx(1)
    assert histograms([measured(7, "conv", weights=bins)], "conv", "gradients") is None


def test_a_real_run_has_all_quantities_and_histograms() -> None:
    config = RunConfig(
        network="lenet", train_size=64, batch_size=32, epochs=2, probes=(LayerStatisticsProbe(),)
    )
    found = [event for event in train(config) if isinstance(event, Measurement)]
    for quantity in QUANTITIES:
        seen = depth_map(found, quantity)
        assert seen.layers[0] == "conv1"
        assert "fc3" in seen.layers
        assert seen.steps == (1, 2, 3, 4)
        assert np.isfinite(seen.values).any(1).all()
    for name in HISTOGRAMS.values():
        assert histograms(found, "fc3", name) is not None
    # A pooling has an output, and no weights.
    assert histograms(found, "pool1", "weights") is None
