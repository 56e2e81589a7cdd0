"""Steps recorded as a CUDA graph: only where asked for, and they learn what other steps learn."""

import pytest
import torch

from cnnlab.training import RunConfig, cuda_graphs, train
from cnnlab.training.events import Progress

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")


@pytest.mark.parametrize(
    ("device", "switch", "expected"),
    [("cpu", "1", False), ("cuda", "1", True), ("cuda", "0", False), ("cuda", "", False)],
)
def test_only_on_a_gpu_and_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, device, switch, expected
) -> None:
    monkeypatch.setenv(cuda_graphs.SWITCH, switch)
    assert cuda_graphs.wanted(torch.device(device)) is expected


@needs_gpu
@pytest.mark.parametrize("batch_norm", [False, True])
def test_recorded_steps_learn_the_same(monkeypatch: pytest.MonkeyPatch, batch_norm):
    config = RunConfig(
        network="lenet",
        options={"batch_norm": batch_norm},
        train_size=2048,
        epochs=2,
        precision="float32",
        device="cuda",
    )

    def losses(switch):
        monkeypatch.setenv(cuda_graphs.SWITCH, switch)
        return [event.train_loss for event in train(config) if isinstance(event, Progress)]

    # Kernels may add up in another order; what is learned must be the same.
    assert losses("1") == pytest.approx(losses("0"), rel=0.05)
