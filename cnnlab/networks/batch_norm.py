"""Batch normalization written out, for reading; the networks use PyTorch's, which is faster."""

from typing import Literal

import torch
from torch import Tensor, nn

# What is done of it; all but the first are for experiments.
#   full              subtract the mean, divide by the standard deviation, scale by γ, shift by β
#   frozen            the same with γ = 1 and β = 0, which are not learned
#   mean_only         divide by nothing
#   variance_only     subtract nothing
#   batch_statistics  standardize over the batch at hand in prediction too, as in training
NormKind = Literal["full", "frozen", "mean_only", "variance_only", "batch_statistics"]


class BatchNorm(nn.Module):
    """Standardize every feature or channel over the minibatch, then scale and shift it.

    Shape: (N, num_features) or (N, num_features, H, W), the same out.
    Raises: ValueError when one training batch holds a single value per feature.
    Source: D2L 1.0.3, section 8.5; Ioffe & Szegedy 2015, algorithm 1.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, kind: NormKind = "full"
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.kind = kind
        # Learned with the rest of the network: the scale and the shift.
        learned = kind != "frozen"
        self.gamma = nn.Parameter(torch.ones(num_features), requires_grad=learned)
        self.beta = nn.Parameter(torch.zeros(num_features), requires_grad=learned)
        # Not learned: averages over the batches seen, for prediction.
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        # A fully-connected layer has one value per feature and example; a convolution has
        # a whole map, and all its pixels share one mean and one variance per channel.
        axes = (0,) if x.dim() == 2 else (0, 2, 3)
        # After a layer that computes in bfloat16: too few digits for sums over many values.
        x = x.to(self.running_mean.dtype)
        if self.training or self.kind == "batch_statistics":
            mean = x.mean(axes)
            variance = ((x - per_channel(mean, x)) ** 2).mean(axes)
        else:
            mean, variance = self.running_mean, self.running_var
        if self.training:
            self._remember(mean.detach(), variance.detach(), count=x.numel() // x.shape[1])
        if self.kind != "variance_only":
            x = x - per_channel(mean, x)
        if self.kind != "mean_only":
            x = x / per_channel(variance + self.eps, x).sqrt()
        return per_channel(self.gamma, x) * x + per_channel(self.beta, x)

    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running statistics a step towards those of this batch."""
        if count < 2:
            raise ValueError(
                "Batch normalization needs at least 2 values per feature to train; "
                "1 was given. Use a larger batch, or call .eval() to predict."
            )
        # The variance of the batch underestimates that of the data by (count - 1) / count.
        unbiased = variance * count / (count - 1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(unbiased, self.momentum)


def per_channel(values: Tensor, x: Tensor) -> Tensor:
    """Shape one value per channel so that it spreads over the other axes of `x`."""
    return values if x.dim() == 2 else values[:, None, None]


NormLayer = nn.BatchNorm1d | nn.BatchNorm2d | BatchNorm


def norm_layer(kind: NormKind, num_features: int, *, maps: bool) -> NormLayer:
    """A batch normalization of maps or of single features: PyTorch's, where it has the kind."""
    if kind in ("full", "frozen"):
        theirs = nn.BatchNorm2d if maps else nn.BatchNorm1d
        return theirs(num_features, affine=kind == "full")
    return BatchNorm(num_features, kind=kind)


def norm_kind(layer: NormLayer) -> NormKind:
    """What a layer does of batch normalization."""
    if isinstance(layer, BatchNorm):
        return layer.kind
    return "full" if layer.affine else "frozen"
