"""Batch normalization written out, for reading; the networks use PyTorch's, which is faster."""

import torch
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """Standardize every feature or channel over the minibatch, then scale and shift it.

    Shape: (N, num_features) or (N, num_features, H, W), the same out.
    Raises: ValueError when one training batch holds a single value per feature.
    Source: D2L 1.0.3, section 8.5; Ioffe & Szegedy 2015, algorithm 1.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        # Learned with the rest of the network: the scale and the shift.
        self.gamma = nn.Parameter(torch.ones(num_features))
        self.beta = nn.Parameter(torch.zeros(num_features))
        # Not learned: averages over the batches seen, for prediction.
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        # A fully-connected layer has one value per feature and example; a convolution has
        # a whole map, and all its pixels share one mean and one variance per channel.
        axes = (0,) if x.dim() == 2 else (0, 2, 3)
        if self.training:
            mean = x.mean(axes)
            variance = ((x - per_channel(mean, x)) ** 2).mean(axes)
            self._remember(mean.detach(), variance.detach(), count=x.numel() // x.shape[1])
        else:
            mean, variance = self.running_mean, self.running_var
        standardized = (x - per_channel(mean, x)) / per_channel(variance + self.eps, x).sqrt()
        return per_channel(self.gamma, x) * standardized + per_channel(self.beta, x)

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
