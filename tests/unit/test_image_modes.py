"""Colour modes, transparency, rotation, animations: each becomes a plain upright picture."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from cnnlab import images
from tests.picture_files import (
    BLUE,
    CORNERS,
    GREEN,
    RED,
    WHITE,
    YELLOW,
    assert_near,
    encode,
    exif,
    marked,
    pixel,
    png,
    png_chunk,
    png_header,
    quarters,
    webp,
)

# Colour modes


def test_cmyk_jpeg_as_photoshop_writes_it() -> None:
    raw = encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    assert b"Adobe" in raw
    assert_near(pixel(images.decode(raw), 8, 8), RED, 4)
    black = encode(Image.new("CMYK", (16, 16), (0, 0, 0, 255)), "JPEG", quality=95)
    assert_near(pixel(images.decode(black), 8, 8), (0, 0, 0), 4)


def test_jpeg_that_stores_red_green_and_blue() -> None:
    raw = encode(marked(), "JPEG", keep_rgb=True, quality=95)
    assert b"Adobe" in raw
    # Photoshop numbers the three colours 1, 2, 3, so that only its own mark tells what they are.
    frame, scan = raw.index(b"\xff\xc0"), raw.index(b"\xff\xda")
    numbered = bytearray(raw)
    for number in (1, 2, 3):
        numbered[frame + 7 + 3 * number] = number
        numbered[scan + 3 + 2 * number] = number
    for form in (raw, bytes(numbered)):
        for actual, wanted in zip(quarters(images.decode(form)), CORNERS, strict=True):
            assert_near(actual, wanted)


def test_grey_jpeg() -> None:
    assert_near(pixel(images.decode(encode(Image.new("L", (9, 9), 77), "JPEG")), 4, 4), (77,) * 3)


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    values = np.array([[0, 0x00FF, 0x4000, 0x8000, 0xFFFF]], np.uint16)
    picture = images.decode(encode(Image.fromarray(values), "PNG"))
    assert [pixel(picture, x, 0) for x in range(5)] == [(v, v, v) for v in (0, 0, 0x40, 0x80, 0xFF)]


def test_sixteen_bit_grey_with_a_transparent_value() -> None:
    pixels = b"\0" + struct.pack(">HH", 0x1234, 0x1235)
    raw = png(png_header(2, 1, 16, 0), pixels, png_chunk(b"tRNS", b"\x12\x34"))
    picture = images.decode(raw)
    assert pixel(picture, 0, 0) == WHITE
    assert pixel(picture, 1, 0) == (0x12, 0x12, 0x12)


def test_sixteen_bit_colour_and_alpha() -> None:
    colour = png(png_header(1, 1, 16, 2), b"\0" + struct.pack(">HHH", 0xFFFF, 0x8000, 0))
    assert pixel(images.decode(colour), 0, 0) == (255, 128, 0)
    half_grey = png(png_header(1, 1, 16, 4), b"\0" + struct.pack(">HH", 0, 0x8000))
    assert_near(pixel(images.decode(half_grey), 0, 0), (127, 127, 127), 1)
    clear = png(png_header(1, 1, 16, 6), b"\0" + struct.pack(">HHHH", 0xFFFF, 0, 0, 0))
    assert pixel(images.decode(clear), 0, 0) == WHITE


@pytest.mark.parametrize(("depth", "body"), [(1, b"\x40"), (2, b"\x30"), (4, b"\x0f")])
def test_fewer_than_eight_bits(depth: int, body: bytes) -> None:
    picture = images.decode(png(png_header(2, 1, depth, 0), b"\0" + body))
    assert [pixel(picture, 0, 0), pixel(picture, 1, 0)] == [(0, 0, 0), WHITE]


def test_palette_with_and_without_transparency() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([*RED, *BLUE])
    picture.putdata([0, 1])
    opaque = images.decode(encode(picture, "PNG"))
    assert [pixel(opaque, 0, 0), pixel(opaque, 1, 0)] == [RED, BLUE]
    one_clear = images.decode(encode(picture, "PNG", transparency=0))
    assert [pixel(one_clear, 0, 0), pixel(one_clear, 1, 0)] == [WHITE, BLUE]
    half = images.decode(encode(picture, "PNG", transparency=b"\x80\xff"))
    assert_near(pixel(half, 0, 0), (255, 127, 127), 1)
    assert pixel(half, 1, 0) == BLUE


@pytest.mark.parametrize(
    ("mode", "colour", "key"), [("L", 9, 9), ("RGB", (1, 2, 3), (1, 2, 3)), ("1", 0, 0)]
)
def test_a_colour_declared_transparent_becomes_white(
    mode: str, colour: int | tuple[int, int, int], key: object
) -> None:
    raw = encode(Image.new(mode, (3, 3), colour), "PNG", transparency=key)
    assert b"tRNS" in raw
    assert pixel(images.decode(raw), 1, 1) == WHITE


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_transparency_is_laid_on_white(file_format: str) -> None:
    options = {"lossless": True} if file_format == "WEBP" else {}
    for alpha, wanted in ((0, WHITE), (128, (127, 127, 255)), (255, BLUE)):
        raw = encode(Image.new("RGBA", (4, 4), (*BLUE, alpha)), file_format, **options)
        assert_near(pixel(images.decode(raw), 2, 2), wanted, 1)
    grey = encode(Image.new("LA", (4, 4), (0, 128)), file_format, **options)
    assert_near(pixel(images.decode(grey), 2, 2), (127, 127, 127), 1)


def test_scaling_does_not_pull_hidden_colours_into_the_edge() -> None:
    # A transparent area may hide any colour; here black beside opaque white.
    picture = Image.new("RGBA", (2048, 64), (0, 0, 0, 0))
    picture.paste((255, 255, 255, 255), (1023, 0, 2048, 64))
    picture = picture.resize((2048, 256))
    decoded = np.asarray(images.decode(encode(picture, "PNG")))
    assert decoded.min() == 255


# Orientation


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation(file_format: str, orientation: int, order: str) -> None:
    raw = encode(marked(), file_format, exif=exif(orientation, order))
    picture = images.decode(raw)
    with Image.open(io.BytesIO(raw)) as stored:
        wanted = ImageOps.exif_transpose(stored).convert("RGB")
    assert picture.size == wanted.size == ((64, 32) if orientation < 5 else (32, 64))
    assert quarters(picture) == quarters(wanted)


def test_a_phone_held_upright() -> None:
    # Orientation 6: the camera was turned, and the picture's left edge is the top of the scene.
    picture = images.decode(encode(marked(2000, 1200), "JPEG", exif=exif(6)))
    assert picture.size == (614, 1024)
    for actual, wanted in zip(quarters(picture), (BLUE, RED, YELLOW, GREEN), strict=True):
        assert_near(actual, wanted)


@pytest.mark.parametrize(
    "block",
    [
        b"Exif\0\0",
        b"Exif\0\0II",
        b"Exif\0\0no such thing at all",
        exif(0),
        exif(9),
        exif(0xFFFF),
        exif(6)[:-8],
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x00\x00\x00\x00" + b"\xff" * 40,
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 30,
    ],
)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_is_ignored(file_format: str, block: bytes) -> None:
    picture = images.decode(encode(marked(), file_format, exif=block, quality=95))
    assert picture.size == (64, 32)
    assert_near(quarters(picture)[0], RED, 12)


def test_exif_of_a_webp_behind_other_parts_and_with_its_own_name() -> None:
    raw = encode(marked(), "WEBP", lossless=True, exif=exif(1))
    before = raw[12 : raw.index(b"EXIF")]
    # A part of odd length is followed by one byte of padding.
    body = before + b"note\x03\0\0\0abc\0"
    for block in (exif(6), exif(6).removeprefix(b"Exif\0\0")):
        part = b"EXIF" + struct.pack("<I", len(block)) + block
        picture = images.decode(webp(body + part))
        assert picture.size == (32, 64)
        assert quarters(picture) == [BLUE, RED, YELLOW, GREEN]


# Several pictures in a file


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_an_animation_gives_its_first_frame(file_format: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in (GREEN, RED, BLUE)]
    raw = encode(frames[0], file_format, save_all=True, append_images=frames[1:], duration=50)
    with Image.open(io.BytesIO(raw)) as stored:
        assert getattr(stored, "n_frames", 1) == 3
    picture = images.decode(raw)
    assert picture.size == (20, 10)
    assert_near(pixel(picture, 10, 5), GREEN)


def test_a_phone_jpeg_with_a_second_picture_gives_the_first() -> None:
    raw = encode(marked(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 32), WHITE)])
    with Image.open(io.BytesIO(raw)) as stored:
        assert (stored.format, getattr(stored, "n_frames", 1)) == ("MPO", 2)
    assert_near(quarters(images.decode(raw))[0], RED, 12)
