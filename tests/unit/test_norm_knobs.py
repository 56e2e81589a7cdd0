"""Batch norm's knobs in LeNet: its kind, its place, the bias before it."""

import itertools
import math
from typing import Any, get_args

import pytest
import torch
from torch import nn

from cnnlab import catalog, features
from cnnlab.networks.batch_norm import NormKind
from cnnlab.summary import summarize
from cnnlab.training import RunConfig, loop, train
from cnnlab.training.events import Evaluation, Finished, Progress
from tests.unit.probing import every_probe, measurements, small_data

KINDS = get_args(NormKind)
# What LeNet normalizes: two maps, two hidden layers.
FEATURES = 6 + 16 + 120 + 84


def build(**knobs: Any) -> nn.Module:
    return catalog.build("lenet", "d2l", **knobs)


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def curve(lr: float = 0.01, **knobs: Any) -> list[float]:
    # Smooth layers and a low rate: rounding errors do not grow to something that can be seen.
    options = catalog.NETWORKS["lenet"].preset("d2l").replace(**knobs)
    config = RunConfig(
        network="lenet",
        options=options,
        train_size=96,
        batch_size=16,
        lr=lr,
        epochs=2,
        device="cpu",
        precision="float32",
    )
    return [event.train_loss for event in train(config) if isinstance(event, Progress)]


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "resident", lambda _name, _device: small_data())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["before_activation", "after_activation"])
def test_only_frozen_has_no_scale_and_shift_wherever_it_stands(kind: str, place: str) -> None:
    model = build(batch_norm=True, norm=kind, norm_place=place)
    assert count(model) == 61_706 + (0 if kind == "frozen" else 2 * FEATURES)
    assert summarize(model, (1, 1, 28, 28)).params == count(model)


def test_layers_run_in_the_order_in_which_they_are_named() -> None:
    names = [name for name, _ in build(batch_norm=True).named_children()]
    assert names[:8] == ["conv1", "norm1", "act1", "pool1", "conv2", "norm2", "act2", "pool2"]
    after = build(batch_norm=True, norm_place="after_activation", dropout=0.5)
    names = [name for name, _ in after.named_children()]
    assert names[:4] == ["conv1", "act1", "norm1", "pool1"]
    assert names[-5:] == ["fc2", "act4", "norm4", "drop4", "fc3"]


@pytest.mark.parametrize("batch_norm", [False, True])
def test_without_biases_only_the_last_layer_has_one(batch_norm: bool) -> None:
    model = build(bias=False, batch_norm=batch_norm)
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert [layer.bias is None for layer in layers] == [True] * 4 + [False]
    assert count(build(batch_norm=batch_norm)) - count(model) == FEATURES


@pytest.mark.usefixtures("pictures")
def test_a_bias_right_before_batch_norm_changes_nothing() -> None:
    with_bias, without = (curve(batch_norm=True, bias=bias) for bias in (True, False))
    assert with_bias == pytest.approx(without, rel=1e-4)
    with_bias, without = (curve(batch_norm=False, bias=bias) for bias in (True, False))
    assert with_bias != pytest.approx(without, rel=1e-4)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("pictures")
def test_every_kind_trains_predicts_and_is_observed(kind: str, precision: str) -> None:
    config = RunConfig(
        network="lenet",
        options={"batch_norm": True, "norm": kind},
        train_size=96,
        batch_size=16,
        epochs=1,
        device="cpu",
        precision=precision,
        probes=every_probe(("norm1", "act3")),
    )
    events = list(train(config))
    assert isinstance(events[-1], Finished)
    assert math.isfinite([e for e in events if isinstance(e, Evaluation)][-1].test_loss)
    found = [one for one in measurements(events) if one.kind == "batch_norm"]
    assert {one.layer for one in found} == {"norm1", "norm2", "norm3", "norm4"}
    assert all(("gamma" in one.values) == (kind != "frozen") for one in found)
    assert all({"batch_mean", "batch_var"} <= set(one.values) for one in found)


@pytest.mark.usefixtures("pictures")
def test_kinds_and_places_give_different_curves() -> None:
    full = curve(batch_norm=True)
    # In training the batch's statistics are those that count anyway.
    assert curve(batch_norm=True, norm="batch_statistics") == pytest.approx(full, rel=1e-4)
    others = [
        curve(0.5, batch_norm=True, norm_place="after_activation"),
        *(curve(0.5, batch_norm=True, norm=kind) for kind in KINDS[:-1]),
    ]
    for one, other in itertools.combinations(others, 2):
        assert one != pytest.approx(other, rel=1e-4)


def test_with_batch_statistics_one_picture_alone_cannot_be_told_from_another() -> None:
    model = build(batch_norm=True, norm="batch_statistics").eval()
    pair = torch.rand(2, 1, 28, 28)
    alone = [model(one) for one in pair.split(1)]
    assert torch.equal(alone[0], alone[1])
    assert not torch.equal(*model(pair).split(1))
    # Its maps are still there to be looked at.
    maps = features.extract(model, pair[:1])["norm1"]
    torch.testing.assert_close(maps.mean((0, 2, 3)), torch.zeros(6), rtol=0, atol=1e-5)
