"""Statistics and histograms of many tensors at once, from a few of the values of each."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

# Values looked at of one tensor: enough for 40 bins, and the same cost for every layer.
SAMPLES = 4096
BINS = 40


def signed_root(x: Tensor) -> Tensor:
    """A scale with narrow bins about zero and wide ones outside."""
    return x.abs().sqrt().copysign(x)


def signed_square(x: float) -> float:
    """Back from `signed_root`."""
    return math.copysign(x * x, x)


def magnitude(x: Tensor) -> Tensor:
    """A scale of powers of ten; the sign is lost, and zero is smallest."""
    return x.abs().clamp_min(1e-30).log10()


def power_of_ten(x: float) -> float:
    """Back from `magnitude`."""
    return float(10.0**x)


@dataclass(frozen=True)
class Scale:
    """The bins of a histogram: equally wide between two bounds, after a change of scale.

    What lies outside counts to the first or the last bin, so that two steps can be compared.
    """

    change: Callable[[Tensor], Tensor]
    back: Callable[[float], float]
    low: float
    high: float

    @property
    def edges(self) -> list[float]:
        """The bounds of the bins, one more than there are bins, in the values' own units."""
        width = (self.high - self.low) / BINS
        return [self.back(self.low + i * width) for i in range(BINS + 1)]

    def bins(self, x: Tensor) -> Tensor:
        """The number of each value's bin."""
        place = (self.change(x) - self.low) * (BINS / (self.high - self.low))
        return place.clamp_(0, BINS - 1).long()


SCALES = {
    "activations": Scale(signed_root, signed_square, -3.0, 3.0),
    "weights": Scale(signed_root, signed_square, -1.0, 1.0),
    "gradients": Scale(magnitude, power_of_ten, -9.0, 1.0),
}


@dataclass(frozen=True)
class Summary:
    """Statistics of several tensors, one row each. `histogram` counts values by bin."""

    mean: Tensor
    std: Tensor
    zeros: Tensor
    histogram: Tensor


def sample(tensor: Tensor) -> Tensor:
    """Up to SAMPLES values of a tensor, evenly spread over its memory, as a copy."""
    tensor = tensor.detach()
    count = tensor.numel()
    stride = -(-count // SAMPLES)
    # A stride that shares a factor with the shape would see some channels only.
    while math.gcd(stride, count) > 1:
        stride += 1
    whole = tensor.is_contiguous() or (
        tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
    )
    # Reshaping what lies with the channels last would copy all of it first.
    flat = tensor.as_strided((count,), (1,)) if whole else tensor.reshape(-1)
    return flat[::stride].float().clone()


def summarize(samples: Sequence[Tensor], scale: Scale) -> Summary:
    """Mean, standard deviation, share of zeros and histogram of each; NaN is left out."""
    padded = pad_sequence(list(samples), batch_first=True, padding_value=math.nan)
    there = ~padded.isnan()
    count = there.sum(1).clamp_min(1)
    x = padded.nan_to_num(0.0, math.inf, -math.inf)
    mean = x.sum(1) / count
    spread = torch.where(there, x - mean[:, None], 0.0)
    # What is not there falls into one bin more, which is then cut off.
    bins = torch.where(there, scale.bins(x), BINS)
    histogram = torch.zeros(len(x), BINS + 1, dtype=torch.int32, device=x.device)
    histogram.scatter_add_(1, bins, torch.ones_like(bins, dtype=torch.int32))
    return Summary(
        mean=mean,
        std=(spread.square().sum(1) / count).sqrt(),
        zeros=((x == 0) & there).sum(1) / count,
        histogram=histogram[:, :BINS],
    )
