"""Presets named after torchvision's models are the same functions, weight for weight."""

from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

from cnnlab import catalog

TWINS: list[tuple[str, str, str, dict[str, Any], tuple[int, ...]]] = [
    # Odd sizes tell rounding down from rounding up; 8 and 10 pixels do not divide into 6 and 7.
    ("alexnet", "torchvision", "alexnet", {}, (3, 3, 290, 263)),
    ("vgg", "vgg11", "vgg11", {}, (2, 3, 70, 70)),
    ("vgg", "vgg13", "vgg13", {}, (1, 3, 64, 64)),
    ("vgg", "vgg16", "vgg16", {}, (1, 3, 64, 64)),
    ("vgg", "vgg19", "vgg19", {}, (1, 3, 33, 64)),
    (
        "googlenet",
        "torchvision",
        "googlenet",
        {"aux_logits": False, "init_weights": False, "transform_input": False},
        (4, 3, 97, 118),
    ),
    ("resnet", "resnet18", "resnet18", {}, (2, 3, 97, 64)),
    ("resnet", "resnet34", "resnet34", {}, (2, 3, 64, 64)),
    ("resnet", "resnet50", "resnet50", {}, (2, 3, 97, 64)),
    ("densenet", "densenet121", "densenet121", {}, (2, 3, 97, 118)),
]


def random_tensor(name: str, like: Tensor) -> Tensor:
    """Weights that keep the signal alive, and statistics that matter."""
    if name.endswith("running_var"):
        return torch.empty(like.shape).uniform_(0.5, 2)
    if name.endswith("num_batches_tracked"):
        return torch.tensor(7)
    if like.dim() == 1:
        centre = 1.0 if "norm" in name or "bn" in name else 0.0
        return torch.empty(like.shape).uniform_(centre - 0.3, centre + 0.3)
    limit = (6 / like[0].numel()) ** 0.5
    return torch.empty(like.shape).uniform_(-limit, limit)


def twins(name: str, preset: str, theirs: str, arguments: dict[str, Any]) -> list[nn.Module]:
    """Our network and torchvision's with the same tensors; the weights are in memory once."""
    spec = catalog.NETWORKS[name]
    ours = spec.build(spec.presets[preset], device="meta")
    with torch.device("meta"):
        reference = torchvision.models.get_model(theirs, weights=None, **arguments)
    torch.manual_seed(0)
    state = {key: random_tensor(key, value) for key, value in reference.state_dict().items()}
    renamed = dict(zip(ours.state_dict(), state.values(), strict=True))
    reference.load_state_dict(state, assign=True)
    ours.load_state_dict(renamed, assign=True)
    return [ours, reference]


def assert_same_logits(ours: Tensor, theirs: Tensor) -> None:
    assert ours.shape == theirs.shape == (len(theirs), 1000)
    spread = float(theirs.std())
    # Logits that are all alike would agree by accident.
    assert spread > 1e-3
    torch.testing.assert_close(ours / spread, theirs / spread, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "preset", "theirs", "arguments", "shape"), TWINS, ids=[twin[2] for twin in TWINS]
)
def test_same_weights_give_the_same_logits(
    name: str, preset: str, theirs: str, arguments: dict[str, Any], shape: tuple[int, ...]
) -> None:
    ours, reference = twins(name, preset, theirs, arguments)
    x = torch.rand(shape)
    with torch.no_grad():
        assert_same_logits(ours.eval()(x), reference.eval()(x))


@pytest.mark.parametrize(
    ("name", "preset", "theirs", "arguments", "shape"),
    [twin for twin in TWINS if twin[2] in ("alexnet", "vgg11", "googlenet")],
    ids=["alexnet", "vgg11", "googlenet"],
)
def test_dropout_sits_where_torchvision_has_it(
    name: str, preset: str, theirs: str, arguments: dict[str, Any], shape: tuple[int, ...]
) -> None:
    ours, reference = twins(name, preset, theirs, arguments)
    x, logits = torch.rand(shape), []
    for model in (ours, reference):
        torch.manual_seed(1)
        with torch.no_grad():
            logits.append(model.train()(x))
    assert_same_logits(*logits)
    with torch.no_grad():
        assert not torch.allclose(logits[0], ours.eval()(x), rtol=1e-2)


def test_every_preset_but_ours_and_the_books_is_compared() -> None:
    ours = {"d2l", "d2l_bn", "d2l_full", "small"}
    published = {
        (name, preset)
        for name, spec in catalog.NETWORKS.items()
        for preset in spec.presets
        if preset not in ours
    }
    assert {twin[:2] for twin in TWINS} == published
