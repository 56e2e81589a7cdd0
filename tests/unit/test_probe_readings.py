"""What a probe reads off a step is what is there: checked on a few layers, by hand."""

from collections.abc import Callable

import pytest
import torch
from PIL.Image import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cnnlab.training.probes.batch_norm import BatchNormProbe, channels
from cnnlab.training.probes.kernels import KernelsProbe
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe, dead_share
from cnnlab.training.probes.observation import Observation
from cnnlab.training.probes.picture import PictureProbe
from cnnlab.training.probes.probe import Probe
from cnnlab.training.probes.samples import BINS, SCALES
from cnnlab.training.probes.values import Packed, Values, unpack
from tests.unit.probing import noise


class Bench:
    """A few layers, as a probe sees a run."""

    def __init__(self, *layers: nn.Module) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(*layers)
        self.images = torch.randn(8, 3, 6, 6)
        self.labels = torch.arange(8) % 4
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.5)

    def logits(self, images: Tensor) -> Tensor:
        answer: Tensor = self.model(images)
        return answer

    def as_input(self, picture: Image) -> Tensor:
        del picture
        return self.images[:1]

    def step(
        self, *looking: Probe, between: Callable[[], None] = lambda: None
    ) -> dict[str | None, Values]:
        """One step and what the probes read off it, by layer."""
        with Observation(looking, self) as observation:
            self.optimizer.zero_grad()
            cross_entropy(self.logits(self.images), self.labels).backward()
            observation.advance()
            between()
            self.optimizer.step()
        return {layer: values for _, layer, values in observation.values()}


def test_statistics_are_those_of_outputs_gradients_weights_and_the_update() -> None:
    convolution, linear = nn.Conv2d(3, 5, 3), nn.Linear(80, 4)
    bench = Bench(convolution, nn.ReLU(), nn.Flatten(), linear)
    with torch.no_grad():
        output = convolution(bench.images).relu()
        logits = bench.model(bench.images)
    before = linear.weight.detach().clone()
    gradients: list[Tensor] = []

    def keep() -> None:
        assert linear.weight.grad is not None
        gradients.append(linear.weight.grad.clone())

    found = bench.step(LayerStatisticsProbe(), between=keep)
    assert list(found) == ["0", "1", "3"]
    relu = found["1"]
    assert relu["mean"] == pytest.approx(output.mean().item(), rel=1e-4)
    assert relu["std"] == pytest.approx(output.std(correction=0).item(), rel=1e-4)
    assert relu["zeros"] == pytest.approx((output == 0).float().mean().item(), rel=1e-4)
    assert relu["activations"] == counts(output, "activations")
    silent = (output == 0).flatten(2).all(2).all(0)
    assert relu["dead"] == pytest.approx(silent.float().mean().item())
    assert set(relu) == {"mean", "std", "zeros", "activations", "dead"}
    last = found["3"]
    assert last["activations"] == counts(logits, "activations")
    assert last["weights"] == counts(before, "weights")
    assert last["gradients"] == counts(gradients[0], "gradients")
    assert last["weight_norm"] == pytest.approx(before.norm().item(), rel=1e-4)
    assert last["gradient_norm"] == pytest.approx(gradients[0].norm().item(), rel=1e-4)
    step = (linear.weight.detach() - before).norm() / before.norm()
    assert last["update"] == pytest.approx(step.item(), rel=1e-4)


def counts(tensor: Tensor, name: str) -> list[int]:
    """A histogram, counted one by one."""
    edges = SCALES[name].edges
    values = tensor.abs() if name == "gradients" else tensor
    found = [0] * BINS
    for value in values.flatten().tolist():
        place = sum(edge <= value for edge in edges[1:-1])
        found[place] += 1
    return found


@pytest.mark.parametrize("momentum", [0.1, 0.7, 1.0, None])
def test_batch_statistics_are_those_of_the_batch(momentum: float | None) -> None:
    norm = nn.BatchNorm2d(5, momentum=momentum)
    bench = Bench(nn.Conv2d(3, 5, 3), norm, nn.Flatten(), nn.Linear(80, 4))
    for _ in range(3):
        with torch.no_grad():
            entering = bench.model[0](bench.images)
        values = bench.step(BatchNormProbe())["1"]
        assert values["batch_mean"] == pytest.approx(entering.mean((0, 2, 3)).tolist(), abs=1e-4)
        variance = entering.var((0, 2, 3), correction=1)
        assert values["batch_var"] == pytest.approx(variance.tolist(), rel=1e-3)
        for name, tensor in [
            ("running_mean", norm.running_mean),
            ("running_var", norm.running_var),
            ("gamma", norm.weight),
            ("beta", norm.bias),
        ]:
            assert tensor is not None
            assert values[name] == pytest.approx(tensor.tolist(), rel=1e-4, abs=1e-6), name


def test_where_the_batch_leaves_no_trace_there_are_no_batch_statistics() -> None:
    norm = nn.BatchNorm2d(5, momentum=0.0, affine=False)
    bench = Bench(nn.Conv2d(3, 5, 3), norm, nn.Flatten(), nn.Linear(80, 4))
    assert set(bench.step(BatchNormProbe())["1"]) == {"running_mean", "running_var"}


def test_of_many_channels_some_are_shown_from_all_over() -> None:
    assert channels(20) == slice(0, 20, 1)
    shown = range(100)[channels(100)]
    assert len(shown) <= 32
    assert shown[-1] > 90


def test_kernels_are_those_after_the_step() -> None:
    convolution = nn.Conv2d(3, 5, 3)
    bench = Bench(convolution, nn.Flatten(), nn.Linear(80, 4))
    packed = bench.step(KernelsProbe())["0"]["kernels"]
    assert isinstance(packed, Packed)
    assert torch.equal(torch.tensor(unpack(packed)), convolution.weight.detach().half())


def test_a_picture_is_looked_at_in_prediction_mode_after_the_step() -> None:
    bench = Bench(
        nn.Conv2d(3, 20, 3), nn.BatchNorm2d(20), nn.Flatten(), nn.Dropout(0.5), nn.Linear(320, 4)
    )
    layers = ("0", "4")
    found = bench.step(PictureProbe.of(noise(), layers=layers))
    assert bench.model.training
    with torch.no_grad():
        bench.model.eval()
        scores = bench.model(bench.images[:1])[0]
        maps = bench.model[0](bench.images[:1])[0]
    assert found[None]["scores"] == pytest.approx(scores.softmax(0).tolist(), rel=1e-3)
    assert found["4"]["units"] == pytest.approx(scores.tolist(), rel=1e-3)
    packed = found["0"]["maps"]
    assert isinstance(packed, Packed)
    assert packed.shape == (16, 4, 4)
    assert torch.allclose(torch.tensor(unpack(packed)).float(), maps[:16], rtol=1e-2, atol=1e-3)


def test_a_unit_is_dead_that_fires_for_no_picture() -> None:
    units = torch.tensor([[0.0, 1.0, 0.0, 2.0], [0.0, 0.0, 3.0, 4.0]])
    assert dead_share(units).item() == 0.25
    maps = torch.zeros(2, 4, 3, 3)
    maps[1, 2, 0, 1] = 0.5
    assert dead_share(maps).item() == 0.75
