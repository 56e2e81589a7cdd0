"""Norm tracks from measurements worked out by hand, and from real runs."""

import math

import numpy as np
import pytest

from cnnlab import catalog
from cnnlab.runs.norm_tracks import QUANTITIES, Track, layers, shown_channels, tracks
from cnnlab.training import RunConfig, observing, train
from cnnlab.training.events import Finished, Measurement
from cnnlab.training.probes.batch_norm import BatchNormProbe
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe

SHORT = {"dataset": "shapes", "train_size": 96, "batch_size": 16, "epochs": 2, "image_size": 32}
BOTH = (LayerStatisticsProbe(), BatchNormProbe())


def config(network: str = "lenet", preset: str = "small", **knobs: object) -> RunConfig:
    options = catalog.network(network).preset(preset).replace(in_channels=3, **knobs)
    return RunConfig(network=network, options=options, evaluate="end", **SHORT)


def measured(step: int, layer: str, **values: list[float]) -> Measurement:
    return Measurement(
        step=step, epoch=0.0, elapsed_s=0.0, kind="batch_norm", layer=layer, values=values
    )


def test_steps_down_and_channels_across() -> None:
    found = [
        measured(1, "norm1", gamma=[1.0, 2.0], running_mean=[0.0, 0.5]),
        measured(1, "norm2", gamma=[7.0]),
        measured(4, "norm1", gamma=[1.5, 1.0], running_mean=[0.25, math.nan]),
    ]
    assert layers(found) == ("norm1", "norm2")
    one = tracks(found, "norm1")
    assert one["gamma"].steps == (1, 4)
    np.testing.assert_equal(one["gamma"].of(1), [2.0, 1.0])
    low, high = one["gamma"].band
    np.testing.assert_equal((low, high), ([1.0, 1.0], [2.0, 1.5]))
    low, high = one["running_mean"].band
    np.testing.assert_equal((low, high), ([0.0, 0.25], [0.5, 0.25]))
    assert tracks(found, "norm3") == {}


def test_a_step_without_any_number_has_no_band() -> None:
    low, high = Track((1,), np.array([[math.nan, math.inf]])).band
    assert np.isnan([low, high]).all()


def test_a_run_shows_every_quantity_of_the_channels_that_it_names() -> None:
    run = observing.observed(config(batch_norm=True), BOTH)
    events = list(train(run))
    found = [one for one in events if isinstance(one, Measurement) and one.kind == "batch_norm"]
    assert any(isinstance(event, Finished) for event in events)
    assert len(layers(found)) == 4
    for layer in layers(found):
        numbers = shown_channels(run, layer)
        own = tracks(found, layer)
        for quantity in QUANTITIES:
            assert own[quantity.value].values.shape == (12, len(numbers))
    # The average begins with 0 and goes a tenth of the way to the first batch.
    first = tracks(found, layers(found)[0])
    np.testing.assert_allclose(
        first["running_mean"].values[0], 0.1 * first["batch_mean"].values[0], rtol=1e-3
    )
    running, batch = (first[name].values for name in ("running_mean", "batch_mean"))
    np.testing.assert_allclose(running[1:], 0.9 * running[:-1] + 0.1 * batch[1:], atol=1e-3)


def test_wide_layers_show_32_channels_at_most() -> None:
    wide = config("vgg", base_channels=16, batch_norm=True)
    assert shown_channels(wide, "block1.norm1") == tuple(range(16))
    assert shown_channels(wide, "block5.norm1") == tuple(range(0, 128, 4))


@pytest.mark.parametrize(("batch_norm", "kinds"), [(True, 2), (False, 1)])
def test_a_probe_goes_along_where_the_network_has_what_it_observes(
    batch_norm: bool, kinds: int
) -> None:
    found = observing.observed(config(batch_norm=batch_norm), BOTH)
    assert found.probes == BOTH[:kinds]
    assert observing.observed(found, BOTH) == found, "none is there twice"
