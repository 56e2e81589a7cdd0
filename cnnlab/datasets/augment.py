"""Input of the network from stored bytes: resizing and augmentation, a whole batch at once."""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import interpolate, pad

from cnnlab.validated import Validated

# Share of the side by which a picture may be shifted: 4 of 32 pixels is the usual amount.
LARGEST_SHIFT = 1 / 8
# Factors are drawn from 1 - JITTER to 1 + JITTER.
JITTER = 0.4
RED, GREEN, BLUE = 0.299, 0.587, 0.114


class Augment(Validated):
    """Which changes are drawn anew for every training picture."""

    flip: bool = Field(
        False, title="Flip pictures", description="Mirror half of the pictures left to right."
    )
    crop: bool = Field(
        False, title="Shift pictures", description="Shift by up to an eighth of the side."
    )
    color: bool = Field(
        False, title="Change colours", description="Change brightness, contrast and saturation."
    )


def prepare(images: Tensor, size: int, augment: Augment, random: torch.Generator) -> Tensor:
    """Bytes to numbers in [0, 1], resized, and augmented image by image.

    The random numbers are drawn where the images are, so `random` belongs to that device.

    Shape: uint8 (N, C, H, W) -> float32 (N, C, size, size).
    """
    x = images / 255
    if x.shape[-2:] != (size, size):
        shrinking = size < max(x.shape[-2:])
        x = interpolate(x, (size, size), mode="bilinear", align_corners=False, antialias=shrinking)
    if augment.flip:
        x = flip(x, random)
    if augment.crop:
        x = shift(x, random)
    if augment.color:
        x = jitter(x, random)
    return x


def flip(x: Tensor, random: torch.Generator) -> Tensor:
    """Mirror a random half of the pictures."""
    mirrored = draw(x, 0, 1, random) < 0.5
    return torch.where(mirrored, x.flip(-1), x)


def shift(x: Tensor, random: torch.Generator) -> Tensor:
    """Move each picture by its own random offset; zeros come in at the border."""
    n, _, height, width = x.shape
    most = max(1, round(height * LARGEST_SHIFT))
    padded = pad(x, (most, most, most, most))
    tops, lefts = (
        torch.randint(0, 2 * most + 1, (n, 1), generator=random, device=x.device) for _ in range(2)
    )
    rows = tops + torch.arange(height, device=x.device)
    columns = lefts + torch.arange(width, device=x.device)
    picture = torch.arange(n, device=x.device)[:, None, None]
    # Indexing moves the channels to the end; they go back to their place.
    return padded[picture, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def jitter(x: Tensor, random: torch.Generator) -> Tensor:
    """Scale brightness, contrast and, for colour pictures, saturation by random factors."""
    x = x * draw(x, 1 - JITTER, 1 + JITTER, random)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * draw(x, 1 - JITTER, 1 + JITTER, random)
    if x.shape[1] == 3:
        # Factors as plain numbers: a tensor of them would be copied to the GPU at every step.
        grey = RED * x[:, 0:1] + GREEN * x[:, 1:2] + BLUE * x[:, 2:3]
        x = grey + (x - grey) * draw(x, 1 - JITTER, 1 + JITTER, random)
    return x.clamp(0, 1)


def draw(x: Tensor, low: float, high: float, random: torch.Generator) -> Tensor:
    """One uniform random number per picture."""
    drawn = torch.rand(len(x), 1, 1, 1, generator=random, device=x.device)
    return low + (high - low) * drawn
