"""Decoder for untrusted pictures: bytes become a clean RGB picture, or an error that helps."""

import threading
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from cnnlab import image_headers
from cnnlab.errors import ConfigError, ImageError

MAX_BYTES = 10 * 1024 * 1024
# 50 megapixels, the largest that phones take.
MAX_PIXELS = 8192 * 6144
# A PNG or WebP cannot be decoded at a fraction of its size: this keeps one below 500 MB of memory.
MAX_PIXELS_WHOLE = 6000 * 4000
# The longest side of what `decode` returns; the networks look at 224 pixels at most.
MAX_SIDE = 1024
# A panorama is about 6 times as wide as high. Beyond this, scaling leaves only a thread.
MAX_ASPECT = 16

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# One picture at a time: thirty students who upload at once then need the memory of one picture.
_DECODING = threading.Lock()


@dataclass(frozen=True)
class Sample:
    """A picture that is shipped with the course.

    `kind` is what it is listed under; a test picture of a data set names that and its class.
    """

    name: str
    title: str
    path: Path
    credit: str
    kind: str
    dataset: str = ""


def _sample(file_name: str, title: str, credit: str, kind: str, dataset: str = "") -> Sample:
    path = Path(__file__).parents[1] / "assets" / "samples" / file_name
    return Sample(path.stem, title, path, credit, kind, dataset)


PHOTOGRAPHS, DRAWINGS = "Photograph", "Drawing"
_DRAWN = "drawn for CNN Lab"
# Test pictures by the class that they are of: no network has been trained on them.
CLOTHES = {
    "ankle_boot": "Ankle boot",
    "bag": "Bag",
    "coat": "Coat",
    "dress": "Dress",
    "pullover": "Pullover",
    "sandal": "Sandal",
    "shirt": "Shirt",
    "sneaker": "Sneaker",
    "t_shirt_top": "T-shirt/top",
    "trouser": "Trouser",
}
SHAPES = (
    *("star", "circle", "crescent", "cross", "dome"),
    *("heart", "hexagon", "ring", "square", "triangle"),
)
DRAWN = {
    "shapes.png": "Shapes",
    "test_card.png": "Test card",
    "zone_plate.png": "Zone plate",
    "stripes_0.png": "Stripes, lying",
    "stripes_45.png": "Stripes, rising",
    "stripes_90.png": "Stripes, upright",
    "stripes_135.png": "Stripes, falling",
    "checkerboard.png": "Checkerboard",
    "gradient.png": "Gradient",
    "text.png": "Text",
    "noise.png": "Noise",
}
SAMPLES = (
    _sample("cat.jpg", "Cat", "Stefan van der Walt, CC0", PHOTOGRAPHS),
    _sample("coffee.jpg", "Cup of coffee", "Rachel Michetti, CC0", PHOTOGRAPHS),
    _sample("astronaut.jpg", "Astronaut", "NASA, public domain", PHOTOGRAPHS),
    *(
        _sample(f"fashion_{name}.png", title, "Zalando SE, MIT", "Fashion-MNIST", "fashion_mnist")
        for name, title in CLOTHES.items()
    ),
    *(_sample(f"shape_{name}.png", name, _DRAWN, "shapes", "shapes") for name in SHAPES),
    *(_sample(file, title, _DRAWN, DRAWINGS) for file, title in DRAWN.items()),
)


def samples() -> tuple[Sample, ...]:
    """The shipped sample pictures, photographs first; none where only the library is installed."""
    return tuple(sample for sample in SAMPLES if sample.path.is_file())


def decode(raw: bytes) -> Image.Image:
    """Turn the bytes of a PNG, JPEG or WebP file into an upright RGB picture.

    Large pictures are scaled down, transparency is laid on white, animations give their first
    frame, 16-bit values keep their upper 8 bits. The result carries no metadata of the file.

    Shape: at least 1 and at most `MAX_SIDE` pixels on each side, proportions kept.

    Raises: `ImageError` if the file is empty, larger than `MAX_BYTES`, of another format or
    damaged, or if it holds more than `MAX_PIXELS` (PNG and WebP: `MAX_PIXELS_WHOLE`) or has a
    side more than `MAX_ASPECT` times the other.
    """
    if not raw:
        raise ImageError("This file is empty. Choose a PNG, JPEG or WebP picture.")
    if len(raw) > MAX_BYTES:
        raise ImageError(
            f"This file has {len(raw) / 2**20:.1f} MB, and at most {MAX_BYTES // 2**20} MB can be "
            "read. Save the picture smaller (2000 pixels on the longer side are plenty) or as JPEG."
        )
    header = image_headers.read(raw)
    _check_size(header)
    try:
        with _DECODING:
            picture = _read_pixels(header)
    except Exception as error:
        # Pillow reports bad files by a dozen exception types, which differ between its versions.
        raise image_headers.damaged(header.format) from error
    if header.orientation in _UPRIGHT:
        return picture.transpose(_UPRIGHT[header.orientation])
    return picture


def to_batch(picture: Image.Image, size: int, channels: int) -> torch.Tensor:
    """Turn a picture into a batch of one: shorter side scaled to `size`, centre square cut out.

    Three channels are red, green and blue. One channel is the luminance; any other number of
    channels repeats it, since a picture holds no more than that for a network to look at.

    Shape: (1, channels, size, size).

    Units: float32 from 0 (black) to 1 (full).

    Raises: `ConfigError` if `size` is not from 1 to `MAX_SIDE`, or `channels` is below 1.
    """
    if not 1 <= size <= MAX_SIDE:
        raise ConfigError(
            f"A picture cannot be scaled to {size} pixels: choose a size from 1 to {MAX_SIDE}."
        )
    if channels < 1:
        raise ConfigError(
            f"A picture cannot have {channels} channels: choose 3 for colour or 1 for grey."
        )
    square = ImageOps.fit(picture.convert("RGB"), (size, size), Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.array(square if channels == 3 else square.convert("L")))
    batch = pixels.reshape(1, size, size, -1).permute(0, 3, 1, 2).float() / 255
    return batch.expand(1, channels, size, size).contiguous()


def _check_size(header: image_headers.ImageHeader) -> None:
    width, height = header.width, header.height
    most = MAX_PIXELS if header.format == "JPEG" else MAX_PIXELS_WHOLE
    if width < 1 or height < 1:
        raise ImageError(
            f"This picture is {width} × {height} pixels: there is nothing in it. "
            "Choose another picture."
        )
    if width * height > most:
        raise ImageError(
            f"This picture is {width} × {height} pixels, and a {header.format} may have at most "
            f"{most // 10**6} megapixels. Scale it down (2000 pixels on the longer side are "
            "plenty) and choose the new file."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageError(
            f"This picture is {width} × {height} pixels: too narrow for a network, which looks at "
            f"a square. Crop it until neither side is more than {MAX_ASPECT} times the other, and "
            "choose the new file."
        )


def _read_pixels(header: image_headers.ImageHeader) -> Image.Image:
    """Decode a file whose header has been checked, scale it down and lay it on white."""
    scale = min(1.0, MAX_SIDE / max(header.width, header.height))
    size = round(header.width * scale), round(header.height * scale)
    with Image.open(BytesIO(header.pixel_parts), formats=(header.format,)) as image:
        if image.size != (header.width, header.height):
            raise ValueError("the decoder sees another size than the header")
        # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size, which saves most of the time.
        image.draft(None, size)
        eight_bit = _to_eight_bits(image)
        has_alpha = eight_bit.has_transparency_data
        mode = "RGBA" if has_alpha else "RGB"
        # Converting would copy the whole picture even where there is nothing to convert.
        pixels = eight_bit if eight_bit.mode == mode else eight_bit.convert(mode)
        pixels = pixels.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    # A fresh picture has no EXIF, no profile and no link to the file.
    picture = Image.new("RGB", size, "white")
    picture.paste(pixels, mask=pixels if has_alpha else None)
    return picture


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Return a 16-bit grey picture in 8 bits, since Pillow would clip it; others as they are."""
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image)
    grey = (values >> 8).astype(np.uint8)
    if "transparency" in image.info:
        grey[values == image.info["transparency"]] = 255
    return Image.fromarray(grey)
