"""What a run on Apple's GPU asks for: nothing that it or PyTorch's module for it lacks."""

from typing import Any
from unittest import mock

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cnnlab import devices
from cnnlab.datasets.augment import Augment
from cnnlab.training import loop, train
from cnnlab.training.events import Finished, Started
from cnnlab.training.own_state import seed
from tests.unit.probing import CONFIG, every_probe, measurements, small_data


class Wide(TorchDispatchMode):
    """Notes numbers of 64 bits with a fraction, which Apple's GPU does not have."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            # A kernel of the CPU's takes room for wide sums of its own; filling it would be seen.
            wide = isinstance(value, Tensor) and value.dtype == torch.float64
            if wide and func is not torch.ops.aten.empty.memory_format:
                self.found.append(str(func))
        return result


@pytest.fixture
def mps(monkeypatch: pytest.MonkeyPatch) -> mock.Mock:
    """Runs are on Apple's GPU, as far as they can tell; their tensors stay on the CPU.

    The module answers only to names that the real one has.
    """
    module: mock.Mock = mock.create_autospec(torch.mps)
    module.get_rng_state.return_value = torch.zeros(4)
    data = small_data()
    others = torch.get_device_module
    monkeypatch.setattr(
        torch,
        "get_device_module",
        lambda device=None: module if device == torch.device("mps") else others(device),
    )
    monkeypatch.setattr(devices, "resolve", lambda _name: torch.device("mps"))
    monkeypatch.setattr(loop, "resident", lambda _name, _device: data)
    return module


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_a_run_with_all_that_there_is_computes_in_float32(mps: mock.Mock, optimizer: str) -> None:
    config = CONFIG.replace(
        augment=Augment(flip=True, crop=True, color=True),
        optimizer=optimizer,
        schedule="cosine",
        probes=every_probe(),
        epochs=1,
        precision="auto",
    )
    with Wide() as wide:
        events = list(train(config))
    assert wide.found == []
    started, *_, last = events
    assert isinstance(started, Started)
    assert (started.precision, started.layout) == ("float32", "channels first")
    assert isinstance(last, Finished)
    assert {found.kind for found in measurements(events)} == {p.kind for p in config.probes}
    assert mps.set_rng_state.called
    mps.empty_cache.assert_called_once_with()
    seed(torch.device("mps"), 3)
    mps.manual_seed.assert_called_once_with(3)


def test_a_wide_number_would_be_noticed() -> None:
    """The check above is as good as this."""
    with Wide() as wide:
        (torch.ones(2, dtype=torch.float64) * 2).sum()
    assert len(wide.found) == 3
