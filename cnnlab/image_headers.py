"""Header reader for PNG, JPEG and WebP: what a file says of itself, before a pixel is decoded.

Text, profiles, thumbnails and EXIF blocks are where small files hide large amounts of work, and
a picture is complete without them. So they never reach the decoder: the walkers below take the
size and the rotation, and pass on only the parts that make up the pixels.
"""

import re
import zlib
from dataclasses import dataclass
from typing import Literal

from cnnlab.errors import ImageError

FORMATS = ("PNG", "JPEG", "WebP")

# A colour JPEG is stored in about 10 scans; each scan costs a pass over the whole picture but
# needs only some 60 bytes, so a file made of scans would keep the server busy for an hour.
MAX_SCANS = 64
# Cameras write fewer than 100 segments before the picture itself.
MAX_SEGMENTS = 1000
# Ordinary PNG files hold 8 kB or more in a chunk, so 10 MB are some 1200 of them.
MAX_CHUNKS = 20_000

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")

# Baseline, extended and progressive: all that browsers and Pillow read.
_JPEG_FRAMES = (0xC0, 0xC1, 0xC2)
# Huffman tables, quantization tables, restart interval, JFIF and Adobe (both tell the colours).
_JPEG_PIXEL_SEGMENTS = (*_JPEG_FRAMES, 0xC4, 0xDB, 0xDD, 0xE0, 0xEE)
_JPEG_START_OF_SCAN = 0xDA
# A marker is 0xFF and a code; any number of 0xFF may stand before it.
_JPEG_MARKER = re.compile(rb"\xff([^\xff])", re.DOTALL)
# The bytes of a scan's header: its length always follows from its number of components.
_JPEG_SCAN = re.compile(rb"\xff\xda\x00(?:\x08\x01|\x0a\x02|\x0c\x03|\x0e\x04)")

_OTHER_STARTS = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"%PDF", "a PDF"),
    (b"<", "an SVG or a web page"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
)


@dataclass(frozen=True)
class ImageHeader:
    """A picture file's own account of itself, with the parts that hold its pixels.

    Units: `width` and `height` in pixels as stored, before the rotation; `orientation` is the
    EXIF value as the file has it: 1 is upright, 2 to 8 are turned, others mean nothing.
    """

    format: Literal["PNG", "JPEG", "WebP"]
    width: int
    height: int
    orientation: int
    pixel_parts: bytes


def read(raw: bytes) -> ImageHeader:
    """Read the header of a PNG, JPEG or WebP file and drop what is not needed for its pixels.

    Raises: `ImageError` if the file is of another kind, damaged, or cut short.
    """
    if raw.startswith(_PNG_START):
        return _read_png(raw)
    if raw.startswith(b"\xff\xd8\xff"):
        return _read_jpeg(raw)
    if raw.startswith(b"RIFF") and raw[8:12] == b"WEBP":
        return _read_webp(raw)
    raise ImageError(
        f"This file is {_other_kind(raw)}, and only PNG, JPEG and WebP pictures can be read. "
        "Open it in a picture program, save it as PNG or JPEG, and choose the new file."
    )


def damaged(kind: str) -> ImageError:
    """Return the error for a file that starts like a picture but cannot be read to its end."""
    return ImageError(
        f"This {kind} file is damaged, incomplete or of an unusual kind. "
        "Open it in a picture program, save it again as PNG or JPEG, and choose the new file; "
        "if it does not open there either, download it again or choose another picture."
    )


def _other_kind(raw: bytes) -> str:
    if raw[4:8] == b"ftyp":
        return "a HEIC or AVIF picture, or a film"
    start = raw[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    return next(
        (name for prefix, name in _OTHER_STARTS if start.startswith(prefix)), "of an unknown kind"
    )


def _read_png(raw: bytes) -> ImageHeader:
    parts = [_PNG_START]
    orientation = 1
    at = len(_PNG_START)
    for _ in range(MAX_CHUNKS):
        length = int.from_bytes(raw[at : at + 4])
        kind = raw[at + 4 : at + 8]
        end = at + 12 + length
        # The header comes first and once: a second one could claim another size.
        if end > len(raw) or (kind == b"IHDR") != (len(parts) == 1):
            raise damaged("PNG")
        if kind in _PNG_PIXEL_CHUNKS:
            # Pillow does not compare the checksums of the pixels.
            if zlib.crc32(raw[at + 4 : end - 4]) != int.from_bytes(raw[end - 4 : end]):
                raise damaged("PNG")
            parts.append(raw[at:end])
        elif kind == b"eXIf":
            orientation = _orientation(raw[at + 8 : end - 4])
        if kind == b"IEND":
            break
        at = end
    else:
        raise damaged("PNG")
    header = parts[1]
    width, height = int.from_bytes(header[8:12]), int.from_bytes(header[12:16])
    return ImageHeader("PNG", width, height, orientation, b"".join(parts))


def _read_jpeg(raw: bytes) -> ImageHeader:
    parts = [b"\xff\xd8"]
    size: tuple[int, int] | None = None
    orientation = 1
    end = 2
    for _ in range(MAX_SEGMENTS):
        # Some cameras leave filler between segments; every reader skips to the next marker.
        found = _JPEG_MARKER.search(raw, end)
        if found is None:
            raise damaged("JPEG")
        at, marker = found.start(), found[1][0]
        length = int.from_bytes(raw[at + 2 : at + 4])
        end = at + 2 + length
        if marker < 0xC0 or 0xD0 <= marker <= 0xD9 or length < 2 or end > len(raw):
            raise damaged("JPEG")
        if marker == _JPEG_START_OF_SCAN:
            break
        if marker in _JPEG_FRAMES:
            if size:
                raise damaged("JPEG")
            size = int.from_bytes(raw[at + 7 : at + 9]), int.from_bytes(raw[at + 5 : at + 7])
        if marker in _JPEG_PIXEL_SEGMENTS:
            parts.append(raw[at:end])
        elif marker == 0xE1 and raw.startswith(b"Exif\0\0", at + 4):
            orientation = _orientation(raw[at + 4 : end])
    else:
        raise damaged("JPEG")
    if size is None or len(_JPEG_SCAN.findall(raw, at)) > MAX_SCANS:
        raise damaged("JPEG")
    parts.append(raw[at:])
    return ImageHeader("JPEG", *size, orientation, b"".join(parts))


def _read_webp(raw: bytes) -> ImageHeader:
    first = raw[12:16]
    if first == b"VP8X":
        width = int.from_bytes(raw[24:27], "little") + 1
        height = int.from_bytes(raw[27:30], "little") + 1
    elif first == b"VP8L":
        bits = int.from_bytes(raw[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif first == b"VP8 ":
        width = int.from_bytes(raw[26:28], "little") & 0x3FFF
        height = int.from_bytes(raw[28:30], "little") & 0x3FFF
    else:
        raise damaged("WebP")
    return ImageHeader("WebP", width, height, _webp_orientation(raw), raw)


def _webp_orientation(raw: bytes) -> int:
    at = 12
    while at < len(raw):
        length = int.from_bytes(raw[at + 4 : at + 8], "little")
        if raw[at : at + 4] == b"EXIF":
            return _orientation(raw[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    return 1


def _orientation(exif: bytes) -> int:
    """Return the orientation that an EXIF block gives; 1 (upright) where it gives none."""
    exif = exif.removeprefix(b"Exif\0\0")
    order: Literal["little", "big"] = "little" if exif.startswith(b"II") else "big"
    first = int.from_bytes(exif[4:8], order)
    count = int.from_bytes(exif[first : first + 2], order)
    # Slices past the end are empty, so a broken block just runs out of entries.
    for at in range(first + 2, min(first + 2 + 12 * count, len(exif)), 12):
        if int.from_bytes(exif[at : at + 2], order) == 0x0112:
            return int.from_bytes(exif[at + 8 : at + 10], order)
    return 1
