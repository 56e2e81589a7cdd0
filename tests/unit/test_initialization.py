"""Initial weights belong to a seed and a parameter's name, whatever else a network has."""

import math

import pytest
import torch
from torch import Tensor, nn

from cnnlab import catalog, datasets
from cnnlab.datasets import Dataset
from cnnlab.training import RunConfig, checkpoint
from cnnlab.training.initialization import INITIALIZATIONS, generator, initialize
from cnnlab.training.trainer import Trainer

# Arms of an experiment that differ in one thing; what both have must begin alike.
ARMS = [
    ("lenet", {}, {"batch_norm": True}),
    ("lenet", {}, {"dropout": 0.5}),
    ("lenet", {}, {"activation": "sigmoid"}),
    ("vgg", {"batch_norm": False}, {"batch_norm": True}),
    ("nin", {"pointwise": 1, "batch_norm": False}, {"pointwise": 2, "batch_norm": True}),
    ("resnet", {"depth": 18}, {"depth": 34}),
    ("resnet", {"skip": True}, {"skip": False}),
    ("resnet", {"shortcut": "1x1"}, {"shortcut": "zero-padded"}),
    ("resnet", {"order": "post-activation"}, {"order": "pre-activation"}),
]


def made_up(config: RunConfig) -> Dataset:
    spec = datasets.DATASETS[config.dataset]
    images = torch.zeros(4, spec.channels, 8, 8, dtype=torch.uint8)
    labels = torch.zeros(4, dtype=torch.long)
    return Dataset(images, labels, images, labels, spec.class_names)


def parameters(network: str, knobs: dict[str, object], **fields: object) -> dict[str, Tensor]:
    """The parameters of a run before its first step."""
    options = catalog.NETWORKS[network].preset("small").replace(**knobs)
    config = RunConfig(network=network, options=options, train_size=64, batch_size=2, **fields)
    return dict(Trainer(config, made_up(config), torch.float32).model.named_parameters())


@pytest.mark.parametrize("init", INITIALIZATIONS)
@pytest.mark.parametrize(("network", "one", "other"), ARMS)
def test_arms_that_differ_in_one_thing_share_all_other_weights(
    network: str, one: dict[str, object], other: dict[str, object], init: str
) -> None:
    here, there = (parameters(network, knobs, init=init, seed=3) for knobs in (one, other))
    shared = [name for name in here if name in there and here[name].shape == there[name].shape]
    assert len(shared) > len(here) / 2
    for name in shared:
        assert torch.equal(here[name], there[name]), name


@pytest.mark.parametrize("init", INITIALIZATIONS)
def test_arms_that_differ_in_nothing_are_identical_and_seeds_differ(init: str) -> None:
    once, again, other = (parameters("resnet", {}, init=init, seed=seed) for seed in (1, 1, 2))
    assert all(torch.equal(once[name], again[name]) for name in once)
    drawn = [name for name in once if "norm" not in name]
    assert not any(torch.equal(once[name], other[name]) for name in drawn)


@pytest.mark.parametrize("init", INITIALIZATIONS)
@pytest.mark.parametrize("scale", [0.1, 0.3, 10])
def test_the_scale_is_a_factor_on_weights_and_on_nothing_else(init: str, scale: float) -> None:
    one = parameters("lenet", {"batch_norm": True}, init=init)
    other = parameters("lenet", {"batch_norm": True}, init=init, init_scale=scale)
    scaled = [name for name in one if not torch.equal(one[name], other[name])]
    assert scaled == [f"{layer}.weight" for layer in ("conv1", "conv2", "fc1", "fc2", "fc3")]
    for name in scaled:
        torch.testing.assert_close(other[name], scale * one[name])


def test_at_scale_1_nothing_changes_bit_for_bit() -> None:
    plain = RunConfig(network="lenet")
    assert plain.init_scale == 1
    model = catalog.NETWORKS["lenet"].build(plain.options, image_size=plain.image_size)
    for path, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            INITIALIZATIONS[plain.init](layer.weight, generator(plain.seed, f"{path}.weight"))
    drawn = dict(model.named_parameters())
    begun = parameters("lenet", {})
    assert all(torch.equal(begun[n], drawn[n]) for n in begun if n.endswith("weight"))


def test_two_layers_of_one_shape_do_not_begin_alike() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    initialize(model, "default", 0)
    drawn = dict(model.named_parameters())
    assert not torch.equal(drawn["0.weight"], drawn["1.weight"])
    assert not torch.equal(drawn["0.bias"], drawn["1.bias"])


@pytest.mark.parametrize("layer", [nn.Conv2d(16, 64, 5), nn.Linear(400, 640)])
def test_the_default_is_spread_as_pytorch_spreads_it(layer: nn.Module) -> None:
    assert isinstance(layer.weight, Tensor)
    assert isinstance(layer.bias, Tensor)
    initialize(layer, "default", 0)
    bound = 1 / math.sqrt(400)
    for values in (layer.weight, layer.bias):
        assert values.abs().max() <= bound
        assert values.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.15)


def test_layers_of_other_kinds_draw_anew_too_and_leave_the_callers_random_numbers_alone() -> None:
    model = nn.Sequential(nn.Conv1d(3, 3, 3), nn.Conv1d(3, 3, 3), nn.BatchNorm1d(3))
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    initialize(model, "default", 0)
    assert torch.equal(torch.rand(1), expected)
    drawn = dict(model.named_parameters())
    first, second = drawn["0.weight"].clone(), drawn["1.weight"].clone()
    initialize(model, "default", 0)
    assert torch.equal(drawn["0.weight"], first)
    assert not torch.equal(first, second)


def test_an_untrained_network_of_the_pages_is_the_one_that_a_run_begins_with() -> None:
    begun = parameters("lenet", {}, seed=7)
    options = RunConfig(network="lenet").options
    shown = dict(checkpoint.fresh("lenet", options, 32, seed=7).named_parameters())
    assert all(torch.equal(begun[name], shown[name]) for name in begun)
