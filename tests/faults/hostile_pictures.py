"""Valid files to damage, and the check that decoding has one of its two allowed outcomes."""

import re
from collections.abc import Callable, Iterator
from random import Random

from PIL import Image

from cnnlab import images
from cnnlab.errors import ImageError
from tests.picture_files import encode, exif, noise

FRAMES = [Image.new("RGB", (12, 9), colour) for colour in ("red", "green")]
ANIMATED: dict[str, object] = {"save_all": True, "append_images": FRAMES[1:], "duration": 40}
VALID = {
    "png": encode(noise(9, 7), "PNG"),
    "png_palette": encode(noise(9, 7).quantize(8), "PNG", transparency=2, exif=exif(6)),
    "png_animated": encode(FRAMES[0], "PNG", **ANIMATED),
    "jpeg": encode(noise(24, 17), "JPEG", exif=exif(6)),
    "jpeg_progressive": encode(noise(24, 17), "JPEG", progressive=True),
    "jpeg_cmyk": encode(noise(16, 16).convert("CMYK"), "JPEG"),
    "webp": encode(noise(24, 17), "WEBP"),
    "webp_lossless": encode(noise(12, 9).convert("RGBA"), "WEBP", lossless=True, exif=exif(6)),
    "webp_animated": encode(FRAMES[0], "WEBP", **ANIMATED),
}
# Of each kind one, whatever the course has more of.
SAMPLES = [one for one in images.samples() if one.path.stem in ("cat", "shapes", "fashion_bag")]
# Those that are read, and those that are refused by name.
FORMATS: list[tuple[str, dict[str, object]]] = [
    ("PNG", {}),
    ("PNG", {"optimize": True}),
    ("JPEG", {}),
    ("JPEG", {"progressive": True, "quality": 40}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("GIF", {}),
    ("BMP", {}),
    ("TIFF", {}),
    ("ICO", {}),
]


def damaged_samples(count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Pictures of the course in many formats, each damaged in a way of its own; what was done."""
    random = Random(seed)
    whole = {
        f"{sample.name}.{kind}.{place}": encode(picture, kind, **options)
        for sample in SAMPLES
        for picture in [images.decode(sample.path.read_bytes())]
        for place, (kind, options) in enumerate(FORMATS)
    }
    for number in range(count):
        (name, raw), (other, rest) = random.sample(sorted(whole.items()), 2)
        damage = random.choice(list(DAMAGE))
        yield f"{number}: {name}, {damage}, {other}", DAMAGE[damage](random, raw, rest)


def flipped(random: Random, raw: bytes, _other: bytes) -> bytes:
    """A few bits are others, most of them where the file says what it is."""
    changed = bytearray(raw)
    for _ in range(random.choice((1, 3, 30))):
        at = random.randrange(random.choice((64, 1024, len(raw))) % len(raw) or len(raw))
        changed[at] ^= 1 << random.randrange(8)
    return bytes(changed)


def spliced(random: Random, raw: bytes, other: bytes) -> bytes:
    """A part of another file in the middle of this one."""
    at, begin = random.randrange(len(raw)), random.randrange(len(other))
    return raw[:at] + other[begin : begin + random.choice((4, 400, 40_000))] + raw[at:]


def huge(random: Random, raw: bytes, _other: bytes) -> bytes:
    """Four bytes in a row say the largest number there is."""
    at = random.randrange(min(len(raw), 256))
    return raw[:at] + b"\xff" * 4 + raw[at + 4 :]


DAMAGE: dict[str, Callable[[Random, bytes, bytes], bytes]] = {
    "cut off": lambda random, raw, _: raw[: random.randrange(len(raw))],
    "bits flipped": flipped,
    "a part of another put in": spliced,
    "a part twice": lambda random, raw, _: raw[: random.randrange(len(raw))] + raw,
    "a part left out": lambda random, raw, _: (
        raw[: (at := random.randrange(len(raw)))] + raw[at + random.choice((1, 50, 5000)) :]
    ),
    "a number blown up": huge,
    "zeros": lambda random, raw, _: (
        raw[: (at := random.randrange(len(raw)))] + bytes(len(raw) - at)
    ),
    "begun as another": lambda random, raw, other: other[: random.choice((8, 30, 200))] + raw,
}


def decode_or_refuse(raw: bytes) -> Image.Image | None:
    """Decode, and check whichever of the two allowed outcomes it was; None if refused."""
    try:
        picture = images.decode(raw)
    except ImageError as error:
        message = str(error)
    else:
        message = ""
    if message:
        # The remedy always ends in choosing a file, be it a mended one or another.
        assert re.search("[Cc]hoose", message)
        assert len(message) < 400
        return None
    assert type(picture) is Image.Image
    assert picture.mode == "RGB"
    assert 1 <= min(picture.size) <= max(picture.size) <= images.MAX_SIDE
    assert len(picture.tobytes()) == picture.width * picture.height * 3
    assert picture.info == {}
    return picture
