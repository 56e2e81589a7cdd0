"""Picture files made in memory, down to single chunks and segments, for the image tests."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

PNG_START = b"\x89PNG\r\n\x1a\n"

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)
WHITE = (255, 255, 255)
# Each corner of the marked picture has its own colour, so that no two orientations look alike.
CORNERS = (RED, GREEN, BLUE, YELLOW)


def encode(picture: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def marked(width: int = 64, height: int = 32) -> Image.Image:
    """A picture in four quarters: red and green above, blue and yellow below."""
    picture = Image.new("RGB", (width, height))
    for at, colour in enumerate(CORNERS):
        left, top = at % 2 * width // 2, at // 2 * height // 2
        picture.paste(colour, (left, top, left + width // 2, top + height // 2))
    return picture


def noise(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(1)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int, depth: int, colour: int, *flags: int) -> bytes:
    """The chunk that claims a size; `flags` are compression, filter and interlace."""
    fields = (width, height, depth, colour, *(flags or (0, 0, 0)))
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", *fields))


def png(header: bytes, pixels: bytes, *extra: bytes) -> bytes:
    """A PNG of any header, any extra chunks and any decompressed pixels."""
    body = png_chunk(b"IDAT", zlib.compress(pixels)) + png_chunk(b"IEND", b"")
    return PNG_START + header + b"".join(extra) + body


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def webp(parts: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(parts) + 4) + b"WEBP" + parts


def exif(orientation: int, order: str = "<") -> bytes:
    """An EXIF block with nothing but an orientation; `order` as in `struct`."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"Exif\0\0" + mark + struct.pack(order + "IH", 8, 1) + entry + b"\0\0\0\0"


def pixel(picture: Image.Image, x: int, y: int) -> tuple[int, ...]:
    value = picture.getpixel((x, y))
    assert isinstance(value, tuple)
    return value


def quarters(picture: Image.Image) -> list[tuple[int, ...]]:
    """The colours in the middles of the four quarters, in the order of `CORNERS`."""
    xs = picture.width // 4, 3 * picture.width // 4
    ys = picture.height // 4, 3 * picture.height // 4
    return [pixel(picture, x, y) for y in ys for x in xs]


def assert_near(actual: tuple[int, ...], wanted: tuple[int, ...], tolerance: int = 6) -> None:
    assert len(actual) == len(wanted)
    assert all(abs(a - b) <= tolerance for a, b in zip(actual, wanted, strict=True)), (
        f"{actual} is not {wanted}"
    )
