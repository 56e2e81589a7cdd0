"""Numbers on their way from the device into a measurement, and samples of large tensors."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cnnlab.training.events import Measurement, from_json
from cnnlab.training.probes import samples, values
from cnnlab.training.probes.samples import BINS, SCALES, sample, summarize
from cnnlab.training.probes.values import Packed, fetch, unpack


class Copies(TorchFunctionMode):
    """Counts what is brought over from the device."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        self.count += func.__name__ in ("cpu", "tolist", "item", "numpy", "__float__")
        return func(*args, **(kwargs or {}))


def test_all_readings_of_a_step_come_in_one_copy() -> None:
    readings = {f"layer{i}": {"a": torch.randn(3), "b": torch.randn(2, 2)} for i in range(20)}
    with Copies() as copies:
        found = fetch(readings)
    # `cpu`, and `numpy` of what is then here.
    assert copies.count == 2
    for layer, tensors in readings.items():
        assert found[layer]["a"] == pytest.approx(tensors["a"].tolist(), rel=1e-4)


def test_numbers_lists_counts_and_arrays_keep_their_kind() -> None:
    array = torch.randn(2, 3, 4)
    found = fetch(
        {
            "a": {"number": torch.tensor(1 / 3), "list": torch.tensor([1.0, 2.0, 0.1])},
            "b": {"counts": torch.tensor([3, 0, 4096], dtype=torch.int32), "array": array},
            "c": {},
        }
    )
    assert found["a"] == {"number": 0.33333, "list": [1.0, 2.0, 0.1]}
    assert found["b"]["counts"] == [3, 0, 4096]
    assert isinstance(found["b"]["counts"], list)
    assert all(isinstance(count, int) for count in found["b"]["counts"])
    packed = found["b"]["array"]
    assert isinstance(packed, Packed)
    assert np.array_equal(unpack(packed), array.numpy().astype(np.float16))
    assert found["c"] == {}


def test_every_number_survives_the_way_through_json() -> None:
    odd = torch.tensor([math.nan, math.inf, -math.inf, 0.0, -1e-38, 3e38, 1e-3])
    found = fetch({"": {"odd": odd, "array": torch.full((1, 2), 1e9)}})[""]
    event = Measurement(step=1, epoch=1, elapsed_s=0, kind="k", layer=None, values=found)
    back = from_json(event.model_dump_json())
    assert isinstance(back, Measurement)
    assert back.values["odd"] == pytest.approx(odd.tolist(), rel=1e-4, nan_ok=True)
    packed = back.values["array"]
    assert isinstance(packed, Packed)
    assert np.isfinite(unpack(packed)).all()


def test_kept_digits_are_the_leading_ones() -> None:
    given = np.array([123456.7, -0.000123456, 0.0], dtype=np.float32)
    assert values.shortened(given).tolist() == pytest.approx([123460, -0.00012346, 0], rel=1e-12)


@pytest.mark.parametrize("shape", [(1,), (4096,), (5000,), (256, 64, 28, 28), (64, 64, 3, 3)])
def test_a_sample_is_small_and_from_all_over(shape: tuple[int, ...]) -> None:
    count = math.prod(shape)
    places = torch.arange(count, dtype=torch.float32).reshape(shape)
    found = sample(places)
    assert min(count, 1500) <= len(found) <= samples.SAMPLES
    assert found.max() >= 0.99 * (count - 1)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_sample_sees_every_channel(layout: torch.memory_format) -> None:
    channel = torch.arange(64.0).view(1, 64, 1, 1).expand(64, 64, 16, 16)
    found = sample(channel.contiguous(memory_format=layout))
    counts = torch.bincount(found.long(), minlength=64)
    assert counts.min() > 0.8 * counts.float().mean()


def test_a_sample_is_a_copy() -> None:
    given = torch.ones(10)
    found = sample(given)
    given.zero_()
    assert found.sum() == 10


def test_a_sample_of_what_lies_in_no_order() -> None:
    given = torch.arange(24.0).reshape(4, 6)[:, ::2]
    assert sorted(sample(given).tolist()) == sorted(given.flatten().tolist())


def test_summaries_of_tensors_of_different_lengths() -> None:
    random = torch.Generator().manual_seed(0)
    given = [torch.randn(n, generator=random) for n in (4096, 7, 300)]
    given[1][:3] = 0
    found = summarize(given, SCALES["activations"])
    for row, tensor in enumerate(given):
        assert found.mean[row].item() == pytest.approx(tensor.mean().item(), abs=1e-6)
        assert found.std[row].item() == pytest.approx(tensor.std(correction=0).item(), rel=1e-5)
        assert found.histogram[row].sum() == len(tensor)
    assert found.zeros.tolist() == pytest.approx([0, 3 / 7, 0])


def test_what_is_no_number_is_left_out_and_the_infinite_is_at_the_end() -> None:
    given = torch.tensor([math.nan, math.inf, -math.inf, 0.5])
    found = summarize([given], SCALES["activations"])
    histogram = found.histogram[0].tolist()
    assert sum(histogram) == 3
    assert (histogram[0], histogram[-1]) == (1, 1)


@pytest.mark.parametrize("name", SCALES)
def test_bins_are_where_their_edges_say(name: str) -> None:
    scale = SCALES[name]
    assert len(scale.edges) == BINS + 1
    assert scale.edges == sorted(scale.edges)
    middles = [(low + high) / 2 for low, high in zip(scale.edges, scale.edges[1:], strict=False)]
    placed: Tensor = scale.bins(torch.tensor(middles))
    assert placed.tolist() == list(range(BINS))
