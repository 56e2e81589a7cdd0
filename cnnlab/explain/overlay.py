"""A map of what mattered, drawn over the picture that it is about."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import interpolate

# The picture behind the colours is grey and not quite black or white, so that both are seen.
DARKEST, LIGHTEST = 40, 200
FOR, AGAINST = (255, 122, 36), (66, 140, 255)


def overlay(batch: Tensor, values: Tensor, side: int) -> npt.NDArray[np.uint8]:
    """The picture in grey, orange where a map is above zero and blue where it is below.

    The colour is as strong as the value is, compared with the largest of the map.

    Shape: `batch` (1, C, H, W) from 0 to 1, `values` (H, W) -> (side, side, 3).
    """
    grey = batch[0].mean(0).clamp(0, 1) * (LIGHTEST - DARKEST) + DARKEST
    finite = torch.nan_to_num(values, 0.0, 0.0, 0.0)
    strength = finite / finite.abs().max().clamp(min=1e-12)
    drawn = grey[None].expand(3, -1, -1)
    for sign, colour in ((1, FOR), (-1, AGAINST)):
        share = (strength * sign).clamp(min=0)
        drawn = drawn + share * (torch.tensor(colour, dtype=grey.dtype)[:, None, None] - drawn)
    # Whole pixels: they are what the network saw.
    enlarged = interpolate(drawn[None], (side, side), mode="nearest")[0]
    array: npt.NDArray[np.uint8] = enlarged.round().to(torch.uint8).permute(1, 2, 0).numpy()
    return array


def strongest(values: Tensor) -> str:
    """Where a map is strongest, in words: "top left", "middle".

    Shape: (H, W).
    """
    height, width = values.shape
    row, column = divmod(int(values.abs().argmax()), width)
    across = ("left", "middle", "right")[3 * column // width]
    down = ("top", "middle", "bottom")[3 * row // height]
    return " ".join(dict.fromkeys((down, across)))
