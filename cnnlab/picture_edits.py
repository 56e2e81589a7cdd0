"""Edits of a picture before a network sees it: turned, moved, blurred, covered, and so on."""

import math
from dataclasses import dataclass, fields

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from cnnlab.errors import ConfigError

# What each edit can be; a range that begins at 0 or below has its neutral value at 0.
BOUNDS: dict[str, tuple[float, float]] = {
    "rotate": (-180, 180),
    "right": (-50, 50),
    "down": (-50, 50),
    "crop": (0, 75),
    "blur": (0, 10),
    "noise": (0, 100),
    "cover": (0, 75),
    "cover_x": (0, 100),
    "cover_y": (0, 100),
}
# The noise of a picture is the same each time: a reader who moves another edit compares.
NOISE_SEED = 0
# Neither black nor white, so that the square is seen on every picture.
COVER = (128, 128, 128)


@dataclass(frozen=True)
class Edits:
    """What is done to a picture, in the order of the fields; left alone, nothing is.

    `crop` is how much of each side is cut off, `cover` the side of a grey square whose middle is
    at (`cover_x`, `cover_y`), `noise` the standard deviation of what is added to every pixel.

    Units: `rotate` degrees against the clock; all others percent of the side, or of white.
    Raises: ConfigError for a value out of bounds.
    """

    crop: float = 0
    rotate: float = 0
    right: float = 0
    down: float = 0
    blur: float = 0
    noise: float = 0
    cover: float = 0
    cover_x: float = 50
    cover_y: float = 50
    invert: bool = False
    grey: bool = False

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise ConfigError(
                    f"{name}: {value} was given; it can be from {low:g} to {high:g}. "
                    "Reset the picture, or choose a value between them."
                )

    @property
    def changed(self) -> tuple[str, ...]:
        """The edits that do something. Where a square lies matters only if there is one."""
        names = [one.name for one in fields(self) if getattr(self, one.name) != one.default]
        return tuple(name for name in names if self.cover or not name.startswith("cover_"))


def edited(picture: Image.Image, edits: Edits, size: int) -> Image.Image:
    """The square that a network sees: cut out, scaled to `size`, then edited.

    What moves out of the square is gone, and black comes in from the other side.

    Units: `size` in pixels.
    """
    square = ImageOps.fit(
        picture.convert("RGB"),
        (size, size),
        Image.Resampling.BICUBIC,
        # Pillow takes this share off each of the four borders.
        bleed=edits.crop / 200,
    )
    if edits.rotate or edits.right or edits.down:
        move = round(edits.right / 100 * size), round(edits.down / 100 * size)
        square = square.rotate(edits.rotate, Image.Resampling.BICUBIC, translate=move)
    if edits.blur:
        square = square.filter(ImageFilter.GaussianBlur(edits.blur / 100 * size))
    if edits.noise:
        square = noisy(square, edits.noise)
    if edits.cover:
        cover(square, edits)
    if edits.invert:
        square = ImageChops.invert(square)
    return square.convert("L").convert("RGB") if edits.grey else square


def noisy(square: Image.Image, percent: float) -> Image.Image:
    """The picture with the same random grey values added to all three colours."""
    random = np.random.default_rng(NOISE_SEED)
    added = random.normal(0, percent / 100 * 255, (square.height, square.width, 1))
    pixels = np.asarray(square, np.float64) + added
    return Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))


def cover(square: Image.Image, edits: Edits) -> None:
    """Draw the square that hides a part, over the picture itself."""
    size = square.width
    side = max(1, round(edits.cover / 100 * size))
    left = round(edits.cover_x / 100 * size - side / 2)
    top = round(edits.cover_y / 100 * size - side / 2)
    box = (left, top, left + side - 1, top + side - 1)
    ImageDraw.Draw(square).rectangle(box, fill=COVER)
