"""Our BatchNorm against PyTorch's: outputs, gradients and running statistics."""

from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cnnlab.networks.batch_norm import BatchNorm, NormKind, norm_kind, norm_layer

features_shapes = st.tuples(st.integers(2, 9), st.integers(1, 6))
maps_shapes = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(2, 5))

Theirs = nn.BatchNorm1d | nn.BatchNorm2d


def pair(
    shape: tuple[int, ...], eps: float = 1e-5, momentum: float = 0.1
) -> tuple[BatchNorm, Theirs]:
    """Our layer and PyTorch's, with the same random scale and shift."""
    channels = shape[1]
    ours = BatchNorm(channels, eps=eps, momentum=momentum)
    theirs = (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(channels, eps, momentum)
    with torch.no_grad():
        theirs.weight.copy_(ours.gamma.uniform_(-2, 2))
        theirs.bias.copy_(ours.beta.normal_())
    return ours, theirs


def pass_through(layer: nn.Module, x: Tensor, scale_and_shift: list[Tensor]) -> list[Tensor]:
    """Output, and the gradients of the input, the scale and the shift."""
    x = x.clone().requires_grad_()
    y = layer(x)
    # Weighted, because the plain sum of standardized values has no gradient.
    loss = (y * torch.linspace(-1, 2, y.numel(), dtype=y.dtype).view_as(y)).sum()
    return [y.detach(), *torch.autograd.grad(loss, [x, *scale_and_shift])]


def assert_same(ours: BatchNorm, theirs: Theirs, x: Tensor, tolerance: float) -> None:
    mine = pass_through(ours, x, [ours.gamma, ours.beta])
    reference = pass_through(theirs, x, [theirs.weight, theirs.bias])
    for a, b in zip(mine, reference, strict=True):
        torch.testing.assert_close(
            a, b, rtol=tolerance, atol=tolerance * (1 + float(b.abs().max()))
        )
    torch.testing.assert_close(ours.running_mean, theirs.running_mean, rtol=tolerance, atol=1e-6)
    torch.testing.assert_close(ours.running_var, theirs.running_var, rtol=tolerance, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    shape=features_shapes | maps_shapes,
    updates=st.integers(1, 5),
    eps=st.sampled_from([1e-5, 1e-3]),
    momentum=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_equals_pytorch_in_both_modes(
    shape: tuple[int, ...], updates: int, eps: float, momentum: float, seed: int
) -> None:
    torch.manual_seed(seed)
    ours, theirs = pair(shape, eps, momentum)
    ours.double(), theirs.double()
    for _ in range(updates):
        assert_same(ours, theirs, 3 + 5 * torch.randn(shape, dtype=torch.float64), 1e-9)
    ours.eval(), theirs.eval()
    assert_same(ours, theirs, 3 + 5 * torch.randn(shape, dtype=torch.float64), 1e-9)


@pytest.mark.parametrize("shape", [(64, 120), (16, 6, 28, 28), (1, 3, 8, 8)])
def test_equals_pytorch_in_single_precision_after_many_updates(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    ours, theirs = pair(shape)
    for _ in range(30):
        assert_same(ours, theirs, 3 + 5 * torch.randn(shape), 2e-5)
    ours.eval(), theirs.eval()
    assert_same(ours, theirs, 3 + 5 * torch.randn(shape), 2e-5)


@pytest.mark.parametrize("shape", [(32, 5), (8, 5, 4, 4)])
def test_training_output_has_mean_beta_and_standard_deviation_gamma(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer, _ = pair(shape)
    y = layer(10 + 3 * torch.randn(shape))
    axes = (0,) if len(shape) == 2 else (0, 2, 3)
    torch.testing.assert_close(y.mean(axes), layer.beta, rtol=0, atol=1e-5)
    torch.testing.assert_close(y.std(axes, correction=0), layer.gamma.abs(), rtol=1e-4, atol=1e-5)


def test_prediction_changes_no_statistics_and_does_not_depend_on_the_batch() -> None:
    torch.manual_seed(0)
    layer = BatchNorm(3)
    layer(torch.randn(16, 3, 4, 4) * 2 + 1)
    layer.eval()
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    x = torch.randn(5, 3, 4, 4)
    together = layer(x)
    torch.testing.assert_close(layer(x[2:3]), together[2:3])
    assert all(torch.equal(before[name], value) for name, value in layer.state_dict().items())


@pytest.mark.parametrize("shape", [(1, 4), (1, 4, 1, 1)])
def test_one_value_per_channel_cannot_train_and_changes_nothing(shape: tuple[int, ...]) -> None:
    ours, theirs = pair(shape)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        theirs(torch.ones(shape))
    with pytest.raises(ValueError, match=r"at least 2 values .* 1 was given.* larger batch"):
        ours(torch.ones(shape))
    assert torch.equal(ours.running_mean, torch.zeros(4))
    assert torch.equal(ours.running_var, torch.ones(4))
    ours.eval()
    assert ours(torch.ones(shape)).shape == shape


def test_statistics_are_saved_with_the_weights_but_not_learned() -> None:
    layer = BatchNorm(2)
    assert set(layer.state_dict()) == {"gamma", "beta", "running_mean", "running_var"}
    assert {name for name, _ in layer.named_parameters()} == {"gamma", "beta"}
    layer(torch.randn(4, 2, requires_grad=True))
    assert not layer.running_mean.requires_grad
    assert not layer.running_var.requires_grad


KINDS: tuple[NormKind, ...] = get_args(NormKind)
both_shapes = pytest.mark.parametrize("shape", [(32, 5), (8, 5, 4, 4)])


def values_of(y: Tensor) -> Tensor:
    """Rows of features: what shares a mean and a variance is a column."""
    return y if y.dim() == 2 else y.movedim(1, -1).flatten(0, -2)


@both_shapes
def test_mean_only_leaves_the_spread_and_variance_only_the_place(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    x = 10 + 3 * torch.randn(shape)
    rows = values_of(x)
    mean, std = rows.mean(0), rows.var(0, correction=0).add(1e-5).sqrt()
    centred, scaled = (
        values_of(BatchNorm(5, kind=kind)(x)) for kind in ("mean_only", "variance_only")
    )
    torch.testing.assert_close(centred, rows - mean)
    torch.testing.assert_close(scaled, rows / std)
    torch.testing.assert_close(scaled.mean(0), mean / std)
    # One after the other they are the whole.
    whole = values_of(BatchNorm(5)(x))
    torch.testing.assert_close(centred / std, whole)


@pytest.mark.parametrize("kind", KINDS)
@both_shapes
def test_every_kind_notes_the_same_running_statistics(
    shape: tuple[int, ...], kind: NormKind
) -> None:
    torch.manual_seed(0)
    x = 10 + 3 * torch.randn(shape)
    ours, (_, theirs) = BatchNorm(5, kind=kind), pair(shape)
    ours(x), theirs(x)
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_var, theirs.running_var)


@pytest.mark.parametrize("kind", ["mean_only", "variance_only"])
def test_the_other_kinds_predict_with_running_statistics(kind: NormKind) -> None:
    torch.manual_seed(0)
    layer = BatchNorm(3, kind=kind)
    layer(torch.randn(16, 3) * 2 + 1)
    layer.eval()
    x = torch.randn(5, 3)
    expected = {
        "mean_only": x - layer.running_mean,
        "variance_only": x / (layer.running_var + 1e-5).sqrt(),
    }
    torch.testing.assert_close(layer(x), expected[kind])


@both_shapes
def test_batch_statistics_predict_as_pytorch_does_without_running_ones(
    shape: tuple[int, ...],
) -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d
    theirs = norm(5, track_running_stats=False).eval()
    ours = BatchNorm(5, kind="batch_statistics")
    ours(torch.randn(shape) + 100)
    ours.eval()
    before = ours.running_mean.clone()
    x = 10 + 3 * torch.randn(shape)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-4)
    assert torch.equal(ours.running_mean, before)


def test_a_feature_standardized_over_one_picture_alone_says_nothing_of_it() -> None:
    layer = BatchNorm(3, kind="batch_statistics").eval()
    assert torch.equal(layer(torch.randn(1, 3)), torch.zeros(1, 3))


@both_shapes
def test_frozen_is_pytorchs_without_scale_and_shift_and_learns_nothing(
    shape: tuple[int, ...],
) -> None:
    torch.manual_seed(0)
    ours = BatchNorm(5, kind="frozen")
    theirs = norm_layer("frozen", 5, maps=len(shape) == 4)
    assert not list(theirs.parameters())
    x = 10 + 3 * torch.randn(shape)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-4)
    assert not ours(x.requires_grad_()).sum().backward()
    assert ours.gamma.grad is None
    assert ours.beta.grad is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("maps", [True, False])
def test_a_layer_of_each_kind_is_pytorchs_where_that_has_it(kind: NormKind, maps: bool) -> None:
    layer = norm_layer(kind, 4, maps=maps)
    assert norm_kind(layer) == kind == norm_kind(BatchNorm(4, kind=kind))
    assert isinstance(layer, BatchNorm) == (kind not in ("full", "frozen"))
    assert layer(torch.rand(6, 4, 3, 3) if maps else torch.rand(6, 4)).shape[:2] == (6, 4)


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_layer_in_bfloat16_the_sums_have_all_digits(kind: NormKind) -> None:
    torch.manual_seed(0)
    x = (10 + 3 * torch.randn(64, 5, 8, 8)).bfloat16()
    layer = BatchNorm(5, kind=kind)
    exact = BatchNorm(5, kind=kind)
    torch.testing.assert_close(layer(x), exact(x.float()), rtol=0, atol=0)
    assert layer.running_mean.dtype == torch.float32
