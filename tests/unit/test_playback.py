"""A followed run: which layers it shows, that nothing of it changes, and its frames."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from PIL import Image

from cnnlab.catalog import NETWORKS
from cnnlab.runs.playback import KERNELS, TILES, Playback, playback
from cnnlab.trace import trace_of
from cnnlab.training import RunConfig, loop, train
from cnnlab.training.events import Evaluation, Event, Measurement, Predicted, Progress
from cnnlab.training.followed import followed, shown_layers
from cnnlab.training.probes.picture import LAYERS, PictureProbe
from cnnlab.training.probes.values import Packed, pack, unpack
from tests.present import present
from tests.unit.probing import CONFIG, measurements, noise, small_data

RUN = CONFIG.replace(batch_size=32)


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch) -> None:
    found = small_data()
    monkeypatch.setattr(loop, "resident", lambda _name, _device: found)


@pytest.fixture(scope="module")
def observed() -> list[Measurement]:
    found, patch = small_data(), pytest.MonkeyPatch()
    patch.setattr(loop, "resident", lambda _name, _device: found)
    events = measurements(train(followed(RUN, noise())))
    patch.undo()
    return events


def of_kind(found: Sequence[Measurement], kind: str) -> list[Measurement]:
    return [one for one in found if one.kind == kind]


def played(found: Sequence[Measurement], **limit: int) -> Playback:
    return present(playback(of_kind(found, "picture"), of_kind(found, "kernels"), **limit))


def curve(events: Sequence[Event]) -> list[tuple[object, ...]]:
    """All that a reader sees of a run, but for the times."""
    found: list[tuple[object, ...]] = []
    for event in events:
        if isinstance(event, Progress):
            found.append((event.step, event.train_loss, event.train_accuracy, event.lr))
        elif isinstance(event, Evaluation):
            found.append((event.step, event.test_loss, event.test_accuracy))
        elif isinstance(event, Predicted):
            found.append((event.step, event.classes, event.confidence))
    return found


def test_a_followed_run_gives_the_same_curve_bit_for_bit() -> None:
    alone, watched = list(train(RUN)), list(train(followed(RUN, noise())))
    assert measurements(watched)
    assert curve(watched) == curve(alone)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_shows_layers_from_the_first_to_the_last(name: str) -> None:
    config = RunConfig(network=name)
    trace = trace_of(NETWORKS[name], config.options, config.image_size)
    shown = shown_layers(trace)
    ran = [node for node in trace.nodes if node.is_module and not node.training_only]
    convolutions = [node.path for node in ran if node.operation == "Conv2d"]
    assert 2 <= len(shown) <= LAYERS
    assert shown[0] == convolutions[0]
    assert convolutions[-1] in shown
    order = [node.path for node in ran]
    assert [*shown] == sorted(set(shown), key=order.index)
    # What the whole network answers is drawn as class scores.
    assert order[-1] not in shown
    probes = followed(config, Image.new("RGB", (600, 400))).probes
    assert [probe.kind for probe in probes] == ["picture", "kernels"]
    picture = probes[0]
    assert isinstance(picture, PictureProbe)
    assert picture.layers == shown
    assert max(picture.picture.size) <= 2 * config.image_size


def test_frames_hold_what_was_measured(observed: list[Measurement]) -> None:
    found = played(observed)
    steps = sorted({one.step for one in observed})
    assert [*found.steps] == steps
    assert found.scores.shape == (len(steps), 10)
    assert found.scores.sum(1) == pytest.approx(1, abs=1e-3)
    assert {strip.layer for strip in found.layers} == {
        one.layer for one in observed if one.kind == "picture" and one.layer
    }
    for strip in found.layers:
        assert strip.frames == tuple(range(len(steps)))
        for place, step in enumerate(steps):
            (values,) = [
                one.values
                for one in observed
                if (one.kind, one.layer, one.step) == ("picture", strip.layer, step)
            ]
            low, high = strip.low[place], strip.high[place]
            drawn = low + strip.codes[place] / 255 * (high - low)
            given = values.get("maps")
            if isinstance(given, Packed):
                exact = unpack(given)[:TILES, ..., None].astype(float)
            else:
                exact = np.array(values["units"]).reshape(-1)
                drawn = drawn.reshape(-1)[: len(exact)]
            assert drawn == pytest.approx(exact, abs=(high - low) / 254)


def test_kernels_have_one_range_for_all_steps(observed: list[Measurement]) -> None:
    kernels = present(played(observed).kernels)
    assert len(set(kernels.high)) == len(set(kernels.low)) == 1
    assert kernels.low[0] == -kernels.high[0]
    packed = of_kind(observed, "kernels")[0].values["kernels"]
    assert isinstance(packed, Packed)
    first = np.moveaxis(unpack(packed).astype(float), 1, -1)
    shown = kernels.codes[0] / 255 * 2 * kernels.high[0] - kernels.high[0]
    assert shown == pytest.approx(first[: len(shown)], abs=kernels.high[0] / 120)


def test_a_long_run_keeps_its_first_and_last_step(observed: list[Measurement]) -> None:
    everything = played(observed)
    each = sum(strip.codes[0].size for strip in [*everything.layers, present(everything.kernels)])
    few = played(observed, limit_bytes=3 * each)
    assert len(few.steps) == 3
    assert (few.steps[0], few.steps[-1]) == (everything.steps[0], everything.steps[-1])
    assert sum(s.codes.size for s in [*few.layers, present(few.kernels)]) <= 3 * each
    # However little there may be, the beginning and the end can be held against each other.
    assert len(played(observed, limit_bytes=1).steps) == 2


def test_while_a_run_goes_on_the_newest_frame_is_enough(observed: list[Measurement]) -> None:
    last = max(one.step for one in observed)
    some = [one for one in observed if one.layer is None or one.step == last]
    found = played(some)
    assert len(found.steps) > 2
    assert {strip.frames for strip in found.layers} == {(len(found.steps) - 1,)}


def measured(kind: str, layer: str | None, **values: object) -> Measurement:
    place = {"step": 1, "epoch": 0.1, "elapsed_s": 0.1, "kind": kind, "layer": layer}
    return Measurement.model_validate({**place, "values": values})


def test_nothing_large_or_no_number_is_drawn() -> None:
    assert playback([], []) is None
    scores = measured("picture", None, scores=[0.5, 0.5])
    odd = measured("picture", "a", maps=pack(np.array([[[np.nan, np.inf], [0.0, 0.0]]])))
    empty = measured("picture", "b", units=[0.0] * 40)
    large = measured("kernels", "a", kernels=pack(np.ones((64, 3, 11, 11))))
    grey = measured("kernels", "a", kernels=pack(np.ones((64, 1, 3, 3))))
    found = present(playback([scores, odd, empty], [large]))
    assert np.isfinite(found.layers[0].high).all()
    assert found.layers[1].codes.shape == (1, 1, 2, 32, 1)
    assert not found.layers[1].codes.any()
    kernels = present(found.kernels)
    assert kernels.codes.shape == (1, 16, 11, 11, 3)
    assert present(present(playback([scores], [grey])).kernels).codes.shape == (1, KERNELS, 3, 3, 1)
    assert present(playback([scores], [])).kernels is None


def test_it_is_drawn_for_every_network_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest first layer: what a run sends stays below its limit."""
    config = followed(
        RunConfig(network="alexnet", train_size=32, batch_size=16, epochs=1, device="cpu"), noise()
    )
    images = torch.randint(0, 256, (64, 3, 64, 64), dtype=torch.uint8)
    found = small_data()
    set_ = type(found)(
        images, torch.arange(64) % 10, images[:8], torch.arange(8), found.class_names
    )
    monkeypatch.setattr(loop, "resident", lambda _name, _device: set_)
    strips = played(measurements(train(config)))
    each = sum(s.codes[0].size for s in [*strips.layers, present(strips.kernels)])
    assert each * 40 < 1_500_000
