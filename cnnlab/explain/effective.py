"""The effective receptive field: how strongly one value depends on each pixel of the picture."""

import torch
from torch import Tensor, nn

from cnnlab.explain.capture import capture
from cnnlab.explain.receptive import Place


def effective_field(model: nn.Module, batch: Tensor, node: int, place: Place) -> Tensor:
    """The gradient of one value by each pixel, its size averaged over the picture's channels.

    A pixel that counts for much is one where a small change changes the value much. In a rectangle
    that one value sees, pixels in the middle are read on more ways than those at the border.

    Shape: `batch` (1, C, H, W) -> (H, W).
    Raises: ConfigError when the picture does not fit, or for a node or place that is not there.
    Source: Luo et al. 2016, section 2.
    """
    with torch.enable_grad():
        picture = batch.detach().requires_grad_()
        output = capture(model, picture, node).output
        value = output[place.index(tuple(output.shape))]
        if not value.requires_grad:
            return torch.zeros(batch.shape[2:])
        (slopes,) = torch.autograd.grad(value, picture)
    return slopes[0].abs().mean(0)


def strongest(field: Tensor, share: float) -> int:
    """How many pixels hold this share of a field's sum, the strongest first. Shape: (H, W)."""
    ordered = field.flatten().double().sort(descending=True).values.cumsum(0)
    return int((ordered < share * ordered[-1]).sum()) + 1 if ordered[-1] > 0 else 0
