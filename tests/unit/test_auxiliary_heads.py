"""GoogLeNet's auxiliary heads: there in training, added to the loss, and gone in prediction."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy
from torchvision.models.googlenet import InceptionAux

from cnnlab import catalog, diagrams, features
from cnnlab.errors import ConfigError
from cnnlab.networks.googlenet import AuxiliaryHead, GoogLeNetOptions
from cnnlab.runs.phrases import phrase
from cnnlab.summary import summarize
from cnnlab.trace import trace_of
from cnnlab.training import RunConfig, checkpoint, loop, train
from cnnlab.training.events import Evaluation, Finished, Started
from cnnlab.training.metrics import Metrics
from cnnlab.training.trainer import Trainer
from tests.unit.mermaid import block, drawn, network, norm
from tests.unit.probing import every_probe, measurements, small_data

SPEC = catalog.NETWORKS["googlenet"]
KNOBS: dict[str, Any] = {"width": 0.125, "batch_norm": True}


def build(size: int = 40, **knobs: Any) -> Any:
    torch.manual_seed(0)
    return SPEC.build(SPEC.preset("d2l").replace(**{**KNOBS, **knobs}), image_size=size)


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def config(**settings: Any) -> RunConfig:
    options = settings.pop("options", {"auxiliary": True})
    settings = {"precision": "float32", "image_size": 40, **settings}
    return RunConfig(
        network="googlenet",
        options={**KNOBS, **options},
        train_size=64,
        batch_size=16,
        epochs=1,
        device="cpu",
        **settings,
    )


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "resident", lambda _name, _device: small_data())


@pytest.mark.parametrize(("size", "side"), [(224, 4), (96, 2), (40, 1)])
def test_what_the_heads_add_by_hand(size: int, side: int) -> None:
    with_heads, without = (
        SPEC.build(SPEC.preset("d2l").replace(auxiliary=on), device="meta", image_size=size)
        for on in (True, False)
    )
    # After 512 and 528 channels: a 1×1 to 128, then the pixels to 1024, then to the classes.
    shared = 2 * (side**2 * 128 * 1024 + 1024 + 1024 * 10 + 10)
    assert count(with_heads) - count(without) == 128 * (512 + 528 + 2) + shared
    shape = (1, 1, size, size)
    table = summarize(with_heads, shape)
    assert table.params == count(with_heads)
    heads = [layer for layer in table.layers if layer.training_only]
    assert sum(layer.params for layer in heads) == 128 * (512 + 528 + 2) + shared
    assert not any(layer.training_only for layer in summarize(without, shape).layers)


def test_torchvisions_network_with_its_heads_has_as_many_parameters() -> None:
    options = SPEC.preset("torchvision").replace(auxiliary=True)
    assert count(SPEC.build(options, device="meta", image_size=224)) == 13_004_888


def test_a_head_is_torchvisions_weight_for_weight_after_the_papers_pooling() -> None:
    torch.manual_seed(0)
    knobs = GoogLeNetOptions(variant="torchvision", batch_norm=True)
    ours, theirs = AuxiliaryHead(knobs, 512).eval(), InceptionAux(512, 10).eval()
    x = torch.rand(2, 512, 14, 14)
    ours(x)
    ours.load_state_dict(
        dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)),
    )
    pooled = avg_pool2d(x, kernel_size=5, stride=3)
    assert pooled.shape[2:] == (4, 4)
    # Theirs pools to 4×4 by other windows, and leaves 4×4 as they are.
    torch.testing.assert_close(ours(x), theirs(pooled))


def test_the_pooling_of_a_small_map_is_the_mean_of_the_pixels_there_are() -> None:
    pool = AuxiliaryHead(GoogLeNetOptions(), 4).pool
    x = torch.rand(2, 4, 6, 6)
    torch.testing.assert_close(pool(x[:, :, :3, :3]), x[:, :, :3, :3].mean((2, 3), keepdim=True))
    torch.testing.assert_close(pool(x)[:, :, 1, 1], x[:, :, 3:, 3:].mean((2, 3)))


def test_a_picture_too_small_for_the_heads_is_told_so_before_it_is_trained() -> None:
    with pytest.raises(ConfigError, match=r"auxiliary4a\.pool gets 2×2 .* needs at least 3×3.* 33"):
        config(image_size=32)
    config(image_size=32, options={})
    assert SPEC.smallest_image_size(config().options) == 33


def test_heads_stand_where_the_paper_has_them() -> None:
    names = [name for name, _ in build(auxiliary=True).named_children()]
    assert names[names.index("inception4a") + 1] == "auxiliary4a"
    assert names[names.index("inception4d") + 1] == "auxiliary4d"
    assert [name for name in names if "auxiliary" not in name] == [
        name for name, _ in build().named_children()
    ]


@pytest.mark.parametrize("size", [33, 40, 96])
def test_in_prediction_it_is_the_network_without_heads(size: int) -> None:
    model, plain = build(size, auxiliary=True), build(size)
    heads = {name for name in model.state_dict() if name.startswith("auxiliary")}
    kept = {name: value for name, value in model.state_dict().items() if name not in heads}
    plain.load_state_dict(kept)
    x = torch.rand(4, 1, size, size)
    assert torch.equal(model.eval()(x), plain.eval()(x))
    model.train()
    assert [tuple(logits.shape) for logits in model(x)] == [(4, 10)] * 3
    assert isinstance(plain.train()(x), Tensor)


def test_the_loss_is_the_networks_own_and_the_gradients_are_of_all_three() -> None:
    trainer = Trainer(config(), small_data(), torch.float32)
    trainer.model.train()
    images, labels = torch.rand(8, 3, 40, 40), torch.arange(8)
    torch.manual_seed(1)
    own, first, second = trainer.model(images)
    losses = [cross_entropy(logits, labels) for logits in (own, first, second)]
    weights = dict(trainer.model.named_parameters())
    expected = torch.autograd.grad(
        losses[0] + 0.3 * losses[1] + 0.3 * losses[2], list(weights.values())
    )
    torch.manual_seed(1)
    loss, logits = trainer.learn(images, labels)
    assert torch.equal(logits, own.detach())
    assert loss.item() == losses[0].item()
    for (name, weight), gradient in zip(weights.items(), expected, strict=True):
        torch.testing.assert_close(weight.grad, gradient, msg=name)


def test_heads_reach_the_layers_before_them_and_no_others() -> None:
    gradients = {}
    for on in (True, False):
        trainer = Trainer(config(options={"auxiliary": on}), small_data(), torch.float32)
        trainer.model.train()
        trainer.learn(torch.rand(8, 3, 40, 40, generator=seeded()), torch.arange(8))
        gradients[on] = {name: p.grad for name, p in trainer.model.named_parameters()}
    # They begin with the same weights, so that a difference is the heads'.
    for name, plain in gradients[False].items():
        place = name.split(".")[0]
        behind = place in ("inception4e", "inception5a", "inception5b", "fc")
        taught = gradients[True][name]
        assert plain is not None
        assert taught is not None
        if name.endswith("conv.weight"):
            assert torch.allclose(taught, plain, atol=1e-7) == behind, name


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.usefixtures("pictures")
def test_a_run_with_heads_is_observed_and_judged_by_its_own_logits(precision: str) -> None:
    layers = ("inception4a.path1.act", "auxiliary4a.act")
    run = config(precision=precision, probes=every_probe(layers))
    events = list(train(run))
    assert isinstance(events[-1], Finished)
    (started,) = [event for event in events if isinstance(event, Started)]
    assert started.params == count(build(auxiliary=True, in_channels=3))
    (test,) = [event for event in events if isinstance(event, Evaluation)][-1:]
    assert math.isfinite(test.test_loss)
    found = measurements(events)
    observed = {one.layer for one in found if one.kind == "layer_statistics"}
    assert {"auxiliary4a.fc1", "auxiliary4d.conv.conv", "fc"} <= observed
    # The picture's maps are those of prediction.
    assert {one.layer for one in found if one.kind == "picture"} == {None, layers[0]}


def test_predictions_are_counted_once_for_each_picture() -> None:
    data = small_data()
    trainer = Trainer(config(), data, torch.float32)
    trainer.model.eval()
    metrics = Metrics(trainer.device)
    with torch.inference_mode():
        trainer.predict(data.test_images, data.test_labels, metrics)
        logits = trainer.model(trainer.pictures(data.test_images, trainer.config.augment))
    assert metrics.read()[0] == pytest.approx(cross_entropy(logits, data.test_labels).item())


@pytest.mark.usefixtures("pictures")
def test_weights_with_heads_are_kept_and_make_the_same_maps(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    list(train(config(), save_to=path))
    model, run = checkpoint.load(path)
    bare, _ = checkpoint.load(path, head=False)
    assert {name.split(".")[0] for name in model.state_dict()} >= {"auxiliary4a", "auxiliary4d"}
    x = torch.rand(1, 3, 40, 40)
    maps, same = features.extract(model, x), features.extract(bare, x)
    assert list(maps) == list(same)
    assert all(torch.equal(maps[name], same[name]) for name in maps)
    assert not any(name.startswith("auxiliary") for name in maps)
    assert run.options == config().options


def test_the_trace_has_the_heads_beside_the_way_to_the_logits() -> None:
    found = trace_of(SPEC, SPEC.preset("small").replace(auxiliary=True), 40)
    aside = {node.path.split(".")[0] for node in found.nodes if node.training_only}
    assert aside == {"auxiliary4a", "auxiliary4d"}
    assert found.nodes[-1].path == "fc"
    read = {source for source, _ in found.edges}
    ends = [node.path for i, node in enumerate(found.nodes) if i not in read]
    assert ends == ["auxiliary4a.fc2", "auxiliary4d.fc2", "fc"]


def test_diagrams_show_the_heads_and_say_when_they_are_there() -> None:
    parsed = network("googlenet", auxiliary=True)
    # One column of boxes: the heads are lines in the label of the blocks that they read.
    assert len(parsed.arrows) == len(network("googlenet").arrows)
    _, stage, _ = parsed.labels_of("block")
    assert "192 + 208 + 48 + 64 = 512 channels auxiliary head, in training only 160 +" in stage
    assert "112 + 288 + 64 + 64 = 528 channels auxiliary head, in training only 256 +" in stage
    whole, detail = diagrams.figures("googlenet", {"googlenet": drawn("googlenet", auxiliary=True)})
    assert "their losses, each times 0.3, are added" in whole.caption
    assert detail.title.startswith("Inception block")
    whole, _ = diagrams.figures("googlenet", {"googlenet": drawn("googlenet")})
    assert "uxiliary" not in whole.caption


def test_the_block_in_detail_and_the_places_of_batch_norm_are_the_main_paths() -> None:
    knobs: dict[str, Any] = {"paths": "3x3_alone", "reductions": False}
    assert block("googlenet", auxiliary=True, **knobs) == block("googlenet", **knobs)
    on = norm("googlenet", batch_norm=True, auxiliary=True)
    assert on == norm("googlenet", batch_norm=True)


def test_runs_are_told_apart_in_words() -> None:
    assert phrase(config(), "auxiliary") == "auxiliary heads"
    assert phrase(config(options={}), "auxiliary") == "no auxiliary heads"
