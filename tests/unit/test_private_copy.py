"""A copy that shares a model's weights is as Python's own deep copy, and nothing else is shared."""

import copy
import threading

import pytest
import torch
from torch import Tensor, nn

from cnnlab import catalog
from cnnlab.hooks import private_copy
from tests.unit.knobs import PRESETS


def deep_copy(model: nn.Module) -> nn.Module:
    """What `private_copy` was before: Python looks at every attribute of every module."""
    shared = {id(t): t for t in (*model.parameters(), *model.buffers())}
    return copy.deepcopy(model, shared).eval()


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_it_is_the_model_without_its_weights(name: str, preset: str) -> None:
    spec = catalog.NETWORKS[name]
    model = spec.build(spec.presets[preset], device="meta")
    own = private_copy(model)
    assert {n: id(t) for n, t in own.named_parameters()} == {
        n: id(t) for n, t in model.named_parameters()
    }
    assert {n: id(t) for n, t in own.named_buffers()} == {
        n: id(t) for n, t in model.named_buffers()
    }
    for path, module in model.named_modules():
        twin = own.get_submodule(path)
        assert type(twin) is type(module)
        assert vars(twin).keys() == vars(module).keys()
        assert not twin.training
        assert module.training
        assert twin is not module
        # What is kept beside the known containers holds no module that would be shared.
        assert not any(isinstance(value, nn.Module) for value in vars(module).values())
        lists = [value for value in vars(module).values() if isinstance(value, list | tuple)]
        assert not any(isinstance(inner, nn.Module) for held in lists for inner in held)


def test_it_computes_the_same_and_its_hooks_are_its_own() -> None:
    spec = catalog.NETWORKS["googlenet"]
    model = spec.build(spec.presets["small"]).eval()
    own, before = private_copy(model), deep_copy(model)
    heard: list[str] = []
    for path, module in own.named_modules():
        module.register_forward_hook(lambda *_, path=path: heard.append(path))
    x = torch.rand(1, spec.presets["small"].in_channels, 32, 32)
    with torch.no_grad():
        assert torch.equal(model(x), before(x))
        assert not heard
        assert torch.equal(own(x), model(x))
    assert heard


def test_hooks_of_the_model_go_with_it() -> None:
    model = nn.Sequential(nn.ReLU())
    model.register_forward_pre_hook(lambda _, args: (args[0] - 5,))
    assert private_copy(model)(torch.tensor(6.0)) == 1


class Twice(nn.Module):
    """Uses one layer, and one weight, in two places."""

    def __init__(self) -> None:
        super().__init__()
        self.first = self.second = nn.Linear(2, 2, bias=False)
        self.third = nn.Linear(2, 2, bias=False)
        self.third.weight = self.first.weight
        self.third.weight.requires_grad_(False)
        self.nothing = nn.Sequential()
        self.absent: nn.Module | None
        self.register_module("absent", None)

    def forward(self, x: Tensor) -> Tensor:
        return self.third(self.second(self.first(x)))  # type: ignore[no-any-return]


@pytest.mark.parametrize("device", [None, "meta"])
def test_what_is_used_twice_stays_one(device: str | None) -> None:
    model = Twice()
    own = private_copy(model, device)
    assert isinstance(own, Twice)
    assert own.first is own.second
    assert own.first.weight is own.third.weight
    assert isinstance(own.third.weight, nn.Parameter)
    assert not own.third.weight.requires_grad
    assert own.nothing is not model.nothing
    assert own.absent is None
    assert own.first.weight.is_meta == (device == "meta")
    assert not model.first.weight.is_meta


def test_threads_copy_one_model_at_once() -> None:
    spec = catalog.NETWORKS["resnet"]
    model, start = spec.build(spec.presets["small"], device="meta"), threading.Barrier(8)
    made: list[nn.Module] = []

    def work() -> None:
        start.wait(10)
        made.extend(private_copy(model) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    modules = [id(module) for own in made for module in own.modules()]
    assert len(made) == 40
    assert len(set(modules)) == len(modules)
