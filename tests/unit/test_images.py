"""Ordinary pictures, refused ones with their messages, batches, and the sample pictures."""

import struct
import threading

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from cnnlab import images
from cnnlab.errors import ConfigError, ImageError
from tests.picture_files import (
    BLUE,
    CORNERS,
    GREEN,
    RED,
    assert_near,
    encode,
    exif,
    marked,
    pixel,
    png,
    png_header,
    quarters,
)


def decode_error(raw: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        images.decode(raw)
    return str(caught.value)


# Ordinary files


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"quality": 95}),
    ],
)
def test_each_format_keeps_size_and_colours(file_format: str, options: dict[str, object]) -> None:
    picture = images.decode(encode(marked(), file_format, **options))
    assert (picture.mode, picture.size) == ("RGB", (64, 32))
    for actual, wanted in zip(quarters(picture), CORNERS, strict=True):
        assert_near(actual, wanted, 12)


def test_lossless_formats_give_the_very_pixels() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 41, 3), dtype=np.uint8)
    for raw in (
        encode(Image.fromarray(noise), "PNG"),
        encode(Image.fromarray(noise), "WEBP", lossless=True),
    ):
        assert np.array_equal(np.asarray(images.decode(raw)), noise)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((3000, 1000), (1024, 341)),
        ((1000, 3000), (341, 1024)),
        ((1025, 1025), (1024, 1024)),
        ((1024, 700), (1024, 700)),
        ((3200, 200), (1024, 64)),
        ((1, 1), (1, 1)),
        ((16, 1), (16, 1)),
    ],
)
def test_large_pictures_are_scaled_and_small_ones_kept(
    file_format: str, size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    picture = images.decode(encode(Image.new("RGB", size, BLUE), file_format))
    assert picture.size == wanted
    assert_near(pixel(picture, wanted[0] // 2, wanted[1] // 2), BLUE)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_scaling_keeps_every_part_in_its_place(file_format: str) -> None:
    picture = images.decode(encode(marked(2600, 1400), file_format))
    for actual, wanted in zip(quarters(picture), CORNERS, strict=True):
        assert_near(actual, wanted)


def test_scaling_averages_instead_of_dropping_pixels() -> None:
    stripes = np.zeros((64, 4096), np.uint8)
    stripes[:, ::2] = 255
    for file_format in ("PNG", "WEBP"):
        raw = encode(Image.fromarray(np.repeat(stripes, 16, 0)).convert("1"), file_format)
        assert_near(pixel(images.decode(raw), 512, 100), (128, 128, 128), 3)


def test_the_largest_phone_photograph_is_read() -> None:
    picture = images.decode(encode(Image.new("L", (8192, 6144), 200), "JPEG"))
    assert picture.size == (1024, 768)
    assert_near(pixel(picture, 5, 5), (200, 200, 200))


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded_sizes: list[tuple[int, int]] = []
    prepare = JpegImageFile.load_prepare

    def note_size(self: JpegImageFile) -> None:
        decoded_sizes.append(self.size)
        prepare(self)

    monkeypatch.setattr(JpegImageFile, "load_prepare", note_size)
    assert images.decode(encode(Image.new("RGB", (4000, 3000)), "JPEG")).size == (1024, 768)
    assert decoded_sizes == [(2000, 1500)]


def test_a_file_of_exactly_the_allowed_size_is_read() -> None:
    raw = encode(marked(), "JPEG")
    assert images.decode(raw.ljust(images.MAX_BYTES, b"\0")).size == (64, 32)


def test_the_result_carries_nothing_of_the_file() -> None:
    raw = encode(marked(), "JPEG", exif=exif(1), comment=b"at home", dpi=(300, 300))
    picture = images.decode(raw)
    assert type(picture) is Image.Image
    assert picture.info == {}
    assert len(picture.getexif()) == 0


# What is refused, and what the reader is told to do


def test_an_empty_file() -> None:
    assert decode_error(b"") == "This file is empty. Choose a PNG, JPEG or WebP picture."


def test_too_many_bytes() -> None:
    message = decode_error(encode(marked(), "JPEG").ljust(images.MAX_BYTES + 1, b"\0"))
    assert "10.0 MB" in message
    assert "Save the picture smaller" in message


@pytest.mark.parametrize(
    ("size", "limit"), [((6001, 4000), "24 megapixels"), ((100_000, 100_000), "24 megapixels")]
)
def test_too_many_pixels(size: tuple[int, int], limit: str) -> None:
    message = decode_error(png(png_header(*size, 8, 2), b"\0" * 9))
    assert f"{size[0]} × {size[1]} pixels" in message
    assert limit in message
    assert "Scale it down" in message


def test_too_many_pixels_in_a_jpeg() -> None:
    raw = bytearray(encode(marked(), "JPEG"))
    at = raw.index(b"\xff\xc0") + 5
    raw[at : at + 4] = struct.pack(">HH", 6145, 8192)
    message = decode_error(bytes(raw))
    assert "8192 × 6145 pixels" in message
    assert "50 megapixels" in message


@pytest.mark.parametrize("size", [(17, 1), (1, 17), (5000, 300)])
def test_too_narrow(size: tuple[int, int]) -> None:
    message = decode_error(encode(Image.new("RGB", size), "PNG"))
    assert f"{size[0]} × {size[1]} pixels: too narrow" in message
    assert "Crop it" in message


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_no_pixels_at_all(size: tuple[int, int]) -> None:
    message = decode_error(png(png_header(*size, 8, 2), b""))
    assert "there is nothing in it" in message
    assert "Choose another picture" in message


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WebP"])
def test_cut_short(file_format: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    raw = encode(Image.fromarray(noise), file_format)
    message = decode_error(raw[: len(raw) // 2])
    assert message.startswith(f"This {file_format} file is damaged, incomplete")
    assert "save it again as PNG or JPEG" in message


def test_a_damaged_png_is_noticed_by_its_checksum() -> None:
    raw = bytearray(encode(marked(), "PNG"))
    raw[raw.index(b"IDAT") + 20] ^= 4
    assert "damaged" in decode_error(bytes(raw))


def test_pictures_are_read_alike_in_many_threads() -> None:
    raw = encode(marked(900, 700), "JPEG")
    wanted = images.decode(raw).tobytes()
    results: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: results.append(images.decode(raw).tobytes()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [wanted] * 8


# Pictures as batches


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [1, 28, 224, images.MAX_SIDE])
def test_batch_shape_and_type(size: int, channels: int) -> None:
    batch = images.to_batch(marked(), size, channels)
    assert batch.shape == (1, channels, size, size)
    assert batch.dtype == torch.float32
    assert batch.is_contiguous()
    assert 0 <= batch.min() <= batch.max() <= 1


def test_batch_holds_the_colours_in_their_places() -> None:
    batch = images.to_batch(marked(64, 64), 32, 3)
    assert [tuple(batch[0, :, y, x].tolist()) for y in (8, 24) for x in (8, 24)] == [
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
        (1, 1, 0),
    ]


@pytest.mark.parametrize("size", [(90, 30), (30, 90)])
def test_batch_is_the_centre_square(size: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, RED)
    left, top = (size[0] - 30) // 2, (size[1] - 30) // 2
    picture.paste(GREEN, (left, top, left + 30, top + 30))
    batch = images.to_batch(picture, 30, 3)
    assert torch.equal(batch[0, 1], torch.ones(30, 30))
    assert torch.equal(batch[0, 0], torch.zeros(30, 30))


def test_one_channel_is_the_luminance_and_other_counts_repeat_it() -> None:
    picture = Image.new("RGB", (8, 8), GREEN)
    grey = images.to_batch(picture, 8, 1)
    assert torch.allclose(grey, torch.full((1, 1, 8, 8), 0.587), atol=1 / 255)
    assert torch.equal(images.to_batch(picture, 8, 5), grey.repeat(1, 5, 1, 1))


def test_batch_does_not_share_memory_between_channels() -> None:
    batch = images.to_batch(Image.new("L", (4, 4), 255), 4, 2)
    batch[0, 0] = 0
    assert batch[0, 1].min() == 1


@pytest.mark.parametrize("size", [0, -1, images.MAX_SIDE + 1])
def test_batch_of_an_impossible_size(size: int) -> None:
    with pytest.raises(ConfigError, match="choose a size from 1 to 1024"):
        images.to_batch(marked(), size, 3)


@pytest.mark.parametrize("channels", [0, -3])
def test_batch_of_impossible_channels(channels: int) -> None:
    with pytest.raises(ConfigError, match="choose 3 for colour or 1 for grey"):
        images.to_batch(marked(), 32, channels)
