"""Observing a run: a probe changes nothing, and what it reads is what is there."""

import itertools
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from cnnlab import catalog
from cnnlab.datasets import Dataset
from cnnlab.datasets.augment import Augment
from cnnlab.errors import ConfigError
from cnnlab.runs.measurements import LIMIT_BYTES
from cnnlab.training import RunConfig, cuda_graphs, loop, probes, train, trainer
from cnnlab.training.events import Evaluation, Finished, Measurement, Progress, from_json
from cnnlab.training.plan import MOST_OBSERVATIONS, OBSERVATIONS, Plan
from cnnlab.training.probes.batch_norm import BatchNormProbe
from cnnlab.training.probes.kernels import KernelsProbe
from cnnlab.training.probes.layer_statistics import LayerStatisticsProbe
from cnnlab.training.probes.picture import MAX_CHARACTERS, PictureProbe
from tests.unit.probing import CONFIG, every_probe, measurements, noise, small_data, without_times
from tests.unit.test_cuda_graphs import ReplayedStep


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    found = small_data()
    monkeypatch.setattr(loop, "resident", lambda _name, _device: found)
    return found


def curve(config: RunConfig, weights: Path | None = None) -> list[tuple[float, ...]]:
    """The points of a run, bit for bit."""
    points: list[tuple[float, ...]] = []
    for event in train(config, save_to=weights):
        if isinstance(event, Progress):
            points.append((event.step, event.train_loss, event.train_accuracy, event.lr))
        elif isinstance(event, Evaluation | Finished):
            assert event.test_loss is not None
            assert event.test_accuracy is not None
            points.append((event.step, event.test_loss, event.test_accuracy))
    return points


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"precision": "bfloat16", "optimizer": "adamw", "lr": 1e-3, "schedule": "cosine"},
        {"augment": Augment(flip=True, crop=True, color=True), "momentum": 0.9},
    ],
    ids=["float32", "bfloat16 and AdamW", "augmentation"],
)
def test_the_curve_is_the_same_bit_for_bit_with_and_without_all_probes(
    change: dict[str, Any], tmp_path: Path
) -> None:
    config = CONFIG.replace(**change)
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    assert curve(config, one) == curve(config.replace(probes=every_probe()), other)
    weights, observed = load_file(one), load_file(other)
    assert all(torch.equal(weights[name], observed[name]) for name in weights)


def test_what_is_read_repeats_itself_and_survives_the_journey() -> None:
    config = CONFIG.replace(probes=every_probe())
    once, again = (measurements(train(config)) for _ in range(2))
    assert without_times(once) == without_times(again)
    assert [from_json(one.model_dump_json()) for one in once] == once
    steps = {
        kind: sorted({one.step for one in once if one.kind == kind})
        for kind in ("layer_statistics", "batch_norm", "kernels", "picture")
    }
    assert steps == {
        "layer_statistics": [1, 3, 6, 9, 12],
        "batch_norm": [1, 2, 4, 6, 8, 10, 12],
        "kernels": list(range(1, 13)),
        "picture": [1, 5, 10],
    }
    assert all(one.epoch == one.step / 6 for one in once)
    assert RunConfig.from_json(config.model_dump_json()) == config


def test_hooks_are_there_at_an_observed_step_only(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[int] = []
    learn = trainer.Trainer.learn

    def counted(self: trainer.Trainer, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        hooks.append(count_hooks(self.model))
        return learn(self, images, labels)

    monkeypatch.setattr(trainer.Trainer, "learn", counted)
    list(train(CONFIG.replace(probes=[LayerStatisticsProbe(every=4)])))
    seen = [step for step, count in enumerate(hooks, 1) if count]
    assert seen == [1, 4, 8, 12]


def count_hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in model.modules())


@pytest.mark.parametrize("where", ["learn", "as_input"])
def test_hooks_are_gone_after_an_error(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    models: list[nn.Module] = []

    def breaks(self: trainer.Trainer, *_arguments: object) -> None:
        models.append(self.model)
        raise ValueError("in the middle")

    monkeypatch.setattr(trainer.Trainer, where, breaks)
    with pytest.raises(ValueError, match="in the middle"):
        list(train(CONFIG.replace(probes=every_probe())))
    assert count_hooks(models[0]) == 0
    assert models[0].training


def test_any_picture_fits_once_it_is_scaled_down() -> None:
    probe = PictureProbe.of(noise())
    assert len(probe.image) < MAX_CHARACTERS


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([{"kind": "loss_surface"}], "no probe 'loss_surface'; there are layer_statistics"),
        (["kernels"], "no probe 'kernels'"),
        ("kernels", "a list of probes is allowed"),
        ([{"kind": "kernels"}, {"kind": "kernels", "every": 3}], "'kernels' was given twice"),
        ([{"kind": "kernels", "every": 0}], "every: 0 was given"),
        ([{"kind": "kernels", "color": 1}], "color: there is no such field"),
        ([{"kind": "picture"}], "image: is missing"),
        ([{"kind": "picture", "image": "AAAA"}], "the picture cannot be read"),
        ([{"kind": "picture", "image": "no base64!"}], "the picture cannot be read"),
        ([{"kind": "picture", "image": "A" * 100_001}], "100,001 characters .* 100,000 are"),
    ],
)
def test_what_is_no_probe_is_refused_with_a_sentence(given: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        CONFIG.replace(probes=given)


@pytest.mark.parametrize(
    ("network", "probe", "words"),
    [
        ("lenet", {"kind": "batch_norm"}, "this network has no batch normalization"),
        (
            "lenet",
            PictureProbe.of(noise(), layers=("conv9",)),
            "no layer 'conv9'. It has conv1, act1",
        ),
    ],
)
def test_what_a_network_lacks_is_said_before_the_first_step(
    network: str, probe: object, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        list(train(RunConfig(network=network, train_size=64, batch_size=8, probes=[probe])))


def plan_of(steps: int) -> Plan:
    return Plan(train_images=steps * 10, test_images=10, batch_size=10, epochs=1)


@pytest.mark.parametrize("steps", [1, 5, 39, 40, 41, 100, 2_500, 90_000])
def test_a_few_dozen_steps_are_looked_at_dense_at_first(steps: int) -> None:
    found = sorted(plan_of(steps).observation_steps())
    assert found[0] == 1
    assert found[-1] == steps
    assert min(steps, 40) - 1 <= len(found) <= 40
    gaps = [later - earlier for earlier, later in itertools.pairwise(found)]
    assert all(later >= earlier - 1 for earlier, later in itertools.pairwise(gaps))


@pytest.mark.parametrize("every", [1, 25, 1000])
@pytest.mark.parametrize("steps", [10, 310, 100_000])
def test_every_so_many_steps_but_never_too_many(steps: int, every: int) -> None:
    found = sorted(plan_of(steps).observation_steps(every))
    assert found[0] == 1
    assert found[-1] <= steps
    assert len(found) <= MOST_OBSERVATIONS + 1
    if steps / every <= MOST_OBSERVATIONS:
        assert found[1:] == [step for step in range(2, steps + 1) if step % every == 0]


@pytest.mark.parametrize(
    ("network", "preset"),
    [("resnet", "resnet50"), ("densenet", "densenet121"), ("googlenet", "torchvision")],
)
def test_the_largest_networks_stay_within_the_stores_room(
    monkeypatch: pytest.MonkeyPatch, network: str, preset: str
) -> None:
    monkeypatch.setattr(Plan, "observation_steps", lambda _plan, _every=None: frozenset({1}))
    options = catalog.NETWORKS[network].preset(preset)
    convolutions = [
        path
        for path, module in catalog.NETWORKS[network].build(options, device="meta").named_modules()
        if isinstance(module, nn.Conv2d)
    ]
    picture = PictureProbe.of(noise(), layers=tuple(convolutions[:4]))
    looking = [LayerStatisticsProbe(), BatchNormProbe(), KernelsProbe(), picture]
    config = CONFIG.replace(
        network=network, options=options, image_size=64, batch_size=2, probes=looking
    )
    run = train(config)
    found: list[Measurement] = []
    for event in run:
        if isinstance(event, Measurement):
            found.append(event)
        elif found:
            break
    size = sum(len(one.model_dump_json(include={"values"})) for one in found)
    assert OBSERVATIONS * size < LIMIT_BYTES


def test_an_observed_step_between_replayed_graphs_leaves_no_stale_gradients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = CONFIG.replace(options={"batch_norm": True}, epochs=3)
    expected = curve(config)
    graphs: list[ReplayedStep] = []

    def replayed(*arguments: Any) -> ReplayedStep:
        graphs.append(ReplayedStep(*arguments))
        return graphs[-1]

    monkeypatch.setattr(cuda_graphs, "wanted", lambda _device: True)
    monkeypatch.setattr(cuda_graphs, "GraphedStep", replayed)
    looking = [LayerStatisticsProbe(every=3), BatchNormProbe(every=3)]
    assert curve(config.replace(probes=looking)) == expected
    # Step 6 is observed, so the graph is recorded at step 7; then two of three are replayed.
    assert graphs[0].replays == 8


NEW_PROBE = '''
from typing import Literal
from cnnlab.training.probes.probe import Probe

class BiasProbe(Probe):
    """The biases of the last layer."""

    kind: Literal["bias"] = "bias"

    def observe(self, run):
        yield
        yield
        *_, (path, module) = run.model.named_modules()
        return {path: {"bias": module.bias.detach().clone()}}
'''


@pytest.fixture
def new_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "bias_probe.py").write_text(NEW_PROBE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import bias_probe  # type: ignore[import-not-found]

    yield bias_probe
    del sys.modules["bias_probe"]


def test_a_further_probe_is_a_file_and_a_line(
    new_probe: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "KINDS", [*probes.KINDS, new_probe.BiasProbe])
    config = RunConfig.from_json(CONFIG.replace(probes=[{"kind": "bias"}]).model_dump_json())
    found = measurements(train(config))
    assert {(one.kind, one.layer) for one in found} == {("bias", "fc3")}
    biases = [one.values["bias"] for one in found]
    assert all(isinstance(bias, list) and len(bias) == 10 for bias in biases)
    assert biases[0] != biases[-1]
    assert [from_json(one.model_dump_json()) for one in found] == found


def test_a_layer_is_measured_once_a_step_and_all_layers_are() -> None:
    found = measurements(train(CONFIG.replace(probes=[LayerStatisticsProbe(every=6)])))
    assert [one.layer for one in found if one.step == 6] == _leaf_names()
    sums = [sum(one.values["activations"]) for one in found]  # type: ignore[arg-type]
    assert all(0 < total <= 4096 for total in sums)
    assert all(math.isfinite(one.values["mean"]) for one in found)  # type: ignore[arg-type]


def _leaf_names() -> list[str]:
    model = catalog.NETWORKS["lenet"].build(CONFIG.options)
    leaves = ((p, m) for p, m in model.named_modules() if p and not any(m.children()))
    return [path for path, module in leaves if not isinstance(module, nn.Flatten)]
