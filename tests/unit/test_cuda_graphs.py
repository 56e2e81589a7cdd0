"""Steps recorded as a CUDA graph: only where asked for, and they learn what other steps learn."""

import pytest
import torch

from cnnlab.training import RunConfig, cuda_graphs, train
from cnnlab.training.events import Finished, Progress

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")


@pytest.mark.parametrize(
    ("device", "switch", "expected"),
    [("cpu", "1", False), ("cuda", "1", True), ("cuda", "0", False), ("cuda", "", False)],
)
def test_only_on_a_gpu_and_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, device: str, switch: str, expected: bool
) -> None:
    monkeypatch.setenv(cuda_graphs.SWITCH, switch)
    assert cuda_graphs.wanted(torch.device(device)) is expected


@needs_gpu
@pytest.mark.parametrize("batch_norm", [False, True])
def test_recorded_steps_learn_the_same(monkeypatch: pytest.MonkeyPatch, batch_norm: bool) -> None:
    config = RunConfig(
        network="lenet",
        options={"batch_norm": batch_norm},
        train_size=2048,
        epochs=2,
        precision="float32",
        device="cuda",
    )

    def losses(switch: str) -> list[float]:
        monkeypatch.setenv(cuda_graphs.SWITCH, switch)
        return [event.train_loss for event in train(config) if isinstance(event, Progress)]

    # Kernels may add up in another order; what is learned must be the same.
    assert losses("1") == pytest.approx(losses("0"), rel=0.05)


@needs_gpu
def test_steps_with_auxiliary_heads_can_be_recorded(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(cuda_graphs.SWITCH, "1")
    options = {"width": 0.125, "batch_norm": True, "auxiliary": True}
    config = RunConfig(
        network="googlenet", options=options, train_size=1024, epochs=1, device="cuda"
    )
    assert isinstance(list(train(config))[-1], Finished)
    assert "unrecorded" not in caplog.text


def test_a_capture_that_fails_leaves_the_steps_as_they_are(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a GPU there can be no capture: PyTorch refuses it, as some drivers do."""
    config = RunConfig(
        network="lenet", train_size=320, batch_size=32, epochs=1, device="cpu", precision="float32"
    )

    def losses() -> list[float]:
        return [event.train_loss for event in train(config) if isinstance(event, Progress)]

    expected = losses()
    monkeypatch.setattr(cuda_graphs, "wanted", lambda _device: True)
    attempts: list[int] = []

    def refuses(*_arguments: object) -> None:
        attempts.append(1)
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

    monkeypatch.setattr(cuda_graphs, "GraphedStep", refuses)
    assert losses() == expected
    assert attempts == [1]
    assert "steps stay unrecorded" in caplog.text


class ReplayedStep:
    """A graph's step on a CPU: its gradients lie where they lay when it was recorded."""

    def __init__(
        self, learn: cuda_graphs.Learn, images: torch.Tensor, labels: torch.Tensor
    ) -> None:
        self._learn = learn
        self._model = learn.__self__.model  # type: ignore[attr-defined]
        # Recording computes nothing that counts; running statistics stay as they are.
        state = {name: value.clone() for name, value in self._model.state_dict().items()}
        learn(images, labels)
        self._model.load_state_dict(state)
        self._places = {name: p.grad for name, p in self._model.named_parameters()}
        self.replays = 0

    def __call__(
        self, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        held = {name: p.grad for name, p in self._model.named_parameters()}
        for parameter in self._model.parameters():
            parameter.grad = None
        result = self._learn(images, labels)
        for name, parameter in self._model.named_parameters():
            place, made = self._places[name], parameter.grad
            assert place is not None
            assert made is not None
            place.copy_(made)
            # What the optimizer reads is whatever the parameter held before.
            parameter.grad = held[name]
        self.replays += 1
        return result
