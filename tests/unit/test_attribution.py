"""What mattered: each method does what its sentence says, at a price that is known before."""

import math
import sys
import threading
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from cnnlab import catalog
from cnnlab.errors import CnnLabError, ConfigError
from cnnlab.explain import attribution
from cnnlab.explain.attribution import (
    GRAD_CAM,
    INTEGRATED_GRADIENTS,
    METHODS,
    MOST_MACS,
    OCCLUSION,
    Method,
    about,
    attribute,
    last_maps,
    likeness,
    square,
)
from cnnlab.explain.overlay import AGAINST, DARKEST, FOR, LIGHTEST, overlay, strongest
from cnnlab.trace import Trace, trace, trace_of
from cnnlab.training import checkpoint

SIZE = 32
each_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


def small(network: str, seed: int = 1) -> tuple[nn.Module, Tensor, Trace]:
    """A network of the catalog, a picture and the trace."""
    spec = catalog.network(network)
    options, size = spec.preset("small"), spec.preset_image_size("small")
    torch.manual_seed(seed)
    picture = torch.rand(1, options.in_channels, size, size)
    model = checkpoint.fresh(network, options, size, seed)
    return model, picture, trace_of(spec, options, size)


@each_method
@pytest.mark.parametrize("network", catalog.NETWORKS)
def test_every_network_has_a_map_and_is_left_as_it_was(network: str, method: Method) -> None:
    model, picture, found = small(network)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    result = attribute(model, picture, 3, method, found)
    assert result.values.shape == picture.shape[2:]
    assert bool(result.values.isfinite().all())
    assert not result.values.requires_grad
    with torch.no_grad():
        assert result.score == pytest.approx(float(model(picture)[0, 3]), abs=1e-4)
    assert all(torch.equal(before[name], t) for name, t in model.state_dict().items())
    assert no_hooks(model)
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    assert not picture.requires_grad


def no_hooks(model: nn.Module) -> bool:
    return not any(
        hooks
        for module in model.modules()
        for hooks in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
    )


class Broken(nn.Module):
    """A layer that fails in the second pass."""

    passes = 0

    def forward(self, x: Tensor) -> Tensor:
        Broken.passes += 1
        if Broken.passes > 1:
            raise RuntimeError("broken")
        return x


@each_method
def test_no_hook_is_left_after_an_error(method: Method) -> None:
    Broken.passes = -(10**6)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), Broken(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 4)
    ).eval()
    found = trace(model, (1, 1, 9, 9))
    Broken.passes = 0 if method is not INTEGRATED_GRADIENTS else -1
    with pytest.raises(RuntimeError, match="broken"):
        attribute(model, torch.rand(1, 1, 9, 9), 0, method, found)
    assert no_hooks(model)


def test_grad_cam_is_what_its_paper_says() -> None:
    """Written out: the mean gradient of each channel times the channel, summed, cut at zero."""
    model, picture, found = small("resnet")
    layer = last_maps(found)
    kept: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda _m, _x, y: kept.append(y))
    score = model(picture)[0, 5]
    handle.remove()
    (gradient,) = torch.autograd.grad(score, kept[0])
    expected = (gradient.mean((2, 3), keepdim=True) * kept[0]).sum(1, keepdim=True).relu()
    enlarged = interpolate(expected, picture.shape[2:], mode="bilinear")[0, 0]
    result = attribute(model, picture, 5, GRAD_CAM, found)
    torch.testing.assert_close(result.values, enlarged, rtol=1e-4, atol=1e-6)
    assert result.baseline is None


def test_integrated_gradients_add_up_to_the_change() -> None:
    model, picture, found = small("resnet")
    result = attribute(model, picture, 2, INTEGRATED_GRADIENTS, found)
    with torch.no_grad():
        black = float(model(torch.zeros_like(picture))[0, 2])
    assert result.baseline == pytest.approx(black, abs=1e-5)
    change = result.score - black
    assert result.total == pytest.approx(change, abs=0.1 * abs(change) + 0.01)


def test_integrated_gradients_of_a_sum_are_its_parts() -> None:
    linear = nn.Sequential(nn.Conv2d(2, 3, 1), nn.Flatten(), nn.Linear(3 * 25, 2)).eval()
    picture = torch.rand(1, 2, 5, 5)
    picture[..., 0] = 0
    asked = picture.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(linear(asked)[0, 1], asked)
    result = attribute(linear, picture, 1, INTEGRATED_GRADIENTS, trace(linear, (1, 2, 5, 5)))
    torch.testing.assert_close(result.values, (gradient * picture)[0].sum(0), rtol=1e-4, atol=1e-5)
    # As its sentence says: black pixels get nothing.
    assert not result.values[:, 0].any()


def test_occlusion_is_the_fall_of_the_score_where_a_square_covers_it() -> None:
    model, picture, found = small("lenet")
    result = attribute(model, picture, 4, OCCLUSION, found)
    side, stride = square(SIZE, OCCLUSION.plan(found).detail)
    mean = picture.mean((2, 3), keepdim=True)
    falls, count = torch.zeros(SIZE, SIZE), torch.zeros(SIZE, SIZE)
    with torch.no_grad():
        for top in range(0, SIZE - side + 1, stride):
            for left in range(0, SIZE - side + 1, stride):
                covered = picture.clone()
                covered[..., top : top + side, left : left + side] = mean
                fall = result.score - float(model(covered)[0, 4])
                falls[top : top + side, left : left + side] += fall
                count[top : top + side, left : left + side] += 1
    torch.testing.assert_close(result.values, falls / count, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("size", [8, 28, 32, 48, 96, 224, 256])
@pytest.mark.parametrize("squares", attribution.SQUARES)
def test_squares_are_no_more_than_were_priced(size: int, squares: int) -> None:
    side, stride = square(size, squares)
    assert side == 2 * stride <= size
    assert 1 + math.ceil((size - side) / stride) <= squares


@each_method
def test_the_price_is_what_is_paid(method: Method) -> None:
    model, picture, found = small("lenet")
    pictures = 0

    def count(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        nonlocal pictures
        pictures += len(inputs[0])

    plan = method.plan(found)
    model.register_forward_pre_hook(count)
    attribute(model, picture, 0, method, found)
    backward = 1 if method is OCCLUSION else 3
    # Besides, the scores: of the picture, of a black one, and captum's own check of the shape.
    assert 0 <= backward * pictures - plan.passes <= 3 * backward
    assert plan.macs == plan.passes * sum(node.macs for node in found.nodes) <= MOST_MACS


def test_a_larger_network_gets_a_coarser_map_or_a_sentence() -> None:
    def traced(network: str, preset: str) -> Trace:
        spec = catalog.network(network)
        return trace_of(spec, spec.preset(preset), spec.preset_image_size(preset))

    fine, coarse = traced("resnet", "small"), traced("resnet", "resnet18")
    for method in (INTEGRATED_GRADIENTS, OCCLUSION):
        assert method.plan(fine).detail == method.details[0]
        assert method.plan(coarse).detail < method.details[0]
        assert method.plan(coarse).macs <= MOST_MACS
        with pytest.raises(ConfigError, match=r"passes through this network, [\d,]+ billion"):
            method.plan(traced("vgg", "vgg11"))
    assert GRAD_CAM.plan(traced("vgg", "vgg11")).passes == 3


@pytest.mark.parametrize("target", [-1, 10])
def test_a_class_that_is_not_there(target: int) -> None:
    model, picture, found = small("lenet")
    with pytest.raises(ConfigError, match=r"There is no class .+ has classes 0 to 9"):
        attribute(model, picture, target, GRAD_CAM, found)


@pytest.fixture
def without_captum(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    attribution.captum.cache_clear()
    monkeypatch.setitem(sys.modules, "captum", None)
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    yield
    attribution.captum.cache_clear()


@each_method
@pytest.mark.usefixtures("without_captum")
def test_without_captum_a_sentence(method: Method) -> None:
    model, picture, found = small("lenet")
    with pytest.raises(CnnLabError, match="pip install captum"):
        attribute(model, picture, 0, method, found)


@each_method
def test_two_readers_at_once_get_what_one_gets(method: Method) -> None:
    model, picture, found = small("resnet")
    pictures = [picture, picture.flip(3)]
    alone = [attribute(model, x, 1, method, found).values for x in pictures]
    results: dict[int, Tensor] = {}

    def ask(index: int) -> None:
        results[index] = attribute(model, pictures[index], 1, method, found).values

    threads = [threading.Thread(target=ask, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, expected in enumerate(alone):
        torch.testing.assert_close(results[index], expected)


@each_method
@pytest.mark.parametrize("network", catalog.NETWORKS)
def test_what_is_said_has_the_numbers_of_this_map(network: str, method: Method) -> None:
    _, picture, found = small(network)
    says, silent = about(method, picture, method.plan(found), found)
    assert "{" not in says + silent
    assert says.endswith(".")
    assert silent.endswith(".")
    if method is GRAD_CAM:
        assert f"`{last_maps(found)}`" in says


def test_likeness_is_the_correlation_of_ranks() -> None:
    values = torch.tensor([[3.0, 1.0], [2.0, 9.0]])
    assert likeness(values, values**3) == pytest.approx(1)
    assert likeness(values, -values) == pytest.approx(-1)
    assert likeness(values, torch.zeros(2, 2)) is None
    # Equal values share their place: ranks 1.5, 1.5, 3, 4 beside 1, 2, 3, 4.
    tied = likeness(torch.tensor([[0.0, 0.0], [1.0, 2.0]]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert tied == pytest.approx(4.5 / math.sqrt(4.5 * 5))


def test_the_overlay_keeps_the_picture_where_nothing_mattered() -> None:
    picture = torch.tensor([[[[0.0, 1.0], [0.5, 0.5]]]])
    values = torch.tensor([[0.0, 0.0], [4.0, -2.0]])
    drawn = overlay(picture, values, 4)
    assert drawn.shape == (4, 4, 3)
    assert drawn[0, 0].tolist() == [DARKEST] * 3
    assert drawn[0, 3].tolist() == [LIGHTEST] * 3
    assert drawn[3, 0].tolist() == list(FOR)
    grey = (DARKEST + LIGHTEST) / 2
    assert drawn[3, 3].tolist() == [round((grey + part) / 2) for part in AGAINST]
    nothing = overlay(picture, torch.full((2, 2), math.nan), 2)
    assert nothing[0, 1].tolist() == [LIGHTEST] * 3


@pytest.mark.parametrize(
    ("row", "column", "where"),
    [(0, 0, "top left"), (4, 4, "middle"), (8, 4, "bottom middle"), (4, 8, "middle right")],
)
def test_where_a_map_is_strongest(row: int, column: int, where: str) -> None:
    values = torch.zeros(9, 9)
    values[row, column] = -1
    assert strongest(values) == where
