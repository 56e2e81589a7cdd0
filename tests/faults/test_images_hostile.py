"""Damaged, invented and disguised files: only an RGB picture or an `ImageError` may come back.

Warnings count as failures here, since pytest turns them into errors.
"""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cnnlab import images
from cnnlab.errors import ImageError
from tests.faults.hostile_pictures import VALID, damaged_samples, decode_or_refuse
from tests.memory import peak_mb
from tests.picture_files import PNG_START, encode, jpeg_segment, noise, png, png_chunk, png_header

# Damage to real files


@pytest.mark.parametrize("name", VALID)
def test_every_truncation(name: str) -> None:
    raw = VALID[name]
    assert decode_or_refuse(raw)
    outcomes = [decode_or_refuse(raw[:end]) for end in range(len(raw))]
    # The last bytes of a JPEG only say that it ends; everything else is missed.
    whole = len(raw) - 4 if name.startswith("jpeg") else len(raw)
    assert not any(outcomes[:whole])


@pytest.mark.parametrize("name", VALID)
def test_every_flipped_bit(name: str) -> None:
    raw = bytearray(VALID[name])
    survivors = 0
    for bit in range(len(raw) * 8):
        raw[bit // 8] ^= 1 << bit % 8
        survivors += decode_or_refuse(bytes(raw)) is not None
        raw[bit // 8] ^= 1 << bit % 8
    if name == "png":
        assert survivors == 0, "a plain PNG is covered by checksums from end to end"


@given(
    name=st.sampled_from(sorted(VALID)),
    edits=st.lists(
        st.tuples(st.integers(0, 2**16), st.integers(0, 40), st.binary(max_size=40)), max_size=6
    ),
)
@settings(max_examples=600, deadline=None)
def test_parts_cut_out_and_put_in(name: str, edits: list[tuple[int, int, bytes]]) -> None:
    raw = VALID[name]
    for at, length, new in edits:
        at %= len(raw) + 1
        raw = raw[:at] + new + raw[at + length :]
    decode_or_refuse(raw)


@given(first=st.sampled_from(sorted(VALID)), second=st.sampled_from(sorted(VALID)), data=st.data())
@settings(max_examples=200, deadline=None)
def test_halves_of_two_files(first: str, second: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(VALID[first])))
    resume = data.draw(st.integers(0, len(VALID[second])))
    decode_or_refuse(VALID[first][:cut] + VALID[second][resume:])


def test_five_hundred_damaged_pictures_of_the_course() -> None:
    """Only a picture or a sentence comes back; each takes little time, all little memory."""
    outcomes, slowest_s = set(), 0.0
    before_mb = peak_mb()
    for done, raw in damaged_samples(500):
        begin_s = time.process_time()
        try:
            outcomes.add(decode_or_refuse(raw) is None)
        except BaseException as error:
            error.add_note(done)
            raise
        slowest_s = max(slowest_s, time.process_time() - begin_s)
    assert outcomes == {True, False}
    assert slowest_s < 1.0
    assert peak_mb() - before_mb < 200


# Invented files


@given(raw=st.binary(max_size=300))
@example(raw=b"\0")
@settings(max_examples=200, deadline=None)
def test_random_bytes(raw: bytes) -> None:
    assert decode_or_refuse(raw) is None


@given(
    start=st.sampled_from(
        [
            PNG_START,
            b"\xff\xd8\xff",
            b"RIFF\x40\0\0\0WEBPVP8X",
            b"RIFF\x40\0\0\0WEBPVP8L\x20\0\0\0\x2f",
        ]
    ),
    rest=st.binary(max_size=300),
)
@settings(max_examples=300, deadline=None)
def test_random_bytes_behind_a_true_start(start: bytes, rest: bytes) -> None:
    decode_or_refuse(start + rest)


@given(
    sides=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    depth=st.sampled_from([1, 2, 4, 8, 16, 3, 0]),
    colour=st.sampled_from([0, 2, 3, 4, 6, 1]),
    flags=st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 2)),
    extras=st.lists(
        st.tuples(
            st.sampled_from(
                [b"PLTE", b"tRNS", b"eXIf", b"acTL", b"fcTL", b"fdAT", b"IHDR", b"iCCP"]
            ),
            st.binary(max_size=40),
        ),
        max_size=4,
    ),
    pixels=st.binary(max_size=400),
)
@settings(max_examples=500, deadline=None)
def test_png_with_true_checksums_and_senseless_contents(
    sides: tuple[int, int],
    depth: int,
    colour: int,
    flags: tuple[int, int, int],
    extras: list[tuple[bytes, bytes]],
    pixels: bytes,
) -> None:
    parts = [png_chunk(kind, body) for kind, body in extras]
    decode_or_refuse(png(png_header(*sides, depth, colour, *flags), pixels * 20, *parts))


@given(block=st.binary(max_size=120), order=st.sampled_from([b"II*\0", b"MM\0*", b""]))
@settings(max_examples=200, deadline=None)
def test_senseless_exif(block: bytes, order: bytes) -> None:
    body = b"Exif\0\0" + order + block
    jpeg = VALID["jpeg_progressive"]
    assert decode_or_refuse(jpeg[:2] + jpeg_segment(0xE1, body) + jpeg[2:])
    plain = VALID["png"]
    assert decode_or_refuse(plain[:33] + png_chunk(b"eXIf", body) + plain[33:])


# Other kinds of files, whatever their name says


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (encode(noise(4, 4), "GIF"), "a GIF"),
        (encode(noise(4, 4), "BMP"), "a BMP"),
        (encode(noise(4, 4), "TIFF"), "a TIFF"),
        (encode(noise(4, 4), "TIFF", big_endian=True), "a TIFF"),
        (encode(noise(4, 4), "PDF"), "a PDF"),
        (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B", "a HEIC or AVIF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC or AVIF"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///"/></svg>', "an SVG"),
        (b'\xef\xbb\xbf\n <?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><svg/>', "an SVG"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "web page"),
        (b"PK\x03\x04" + b"\0" * 40, "a ZIP"),
        (encode(noise(4, 4), "ICO"), "of an unknown kind"),
        (encode(noise(4, 4), "PPM"), "of an unknown kind"),
        (encode(noise(4, 4), "JPEG2000"), "of an unknown kind"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nquit", "of an unknown kind"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "of an unknown kind"),
        (b"not a picture", "of an unknown kind"),
    ],
)
def test_other_formats_are_named_and_the_allowed_ones_too(raw: bytes, kind: str) -> None:
    with pytest.raises(ImageError) as caught:
        images.decode(raw)
    assert kind in str(caught.value)
    assert "only PNG, JPEG and WebP pictures can be read" in str(caught.value)
    assert "save it as PNG or JPEG" in str(caught.value)


@pytest.mark.parametrize("name", ["png", "jpeg", "webp"])
def test_a_picture_with_a_web_page_behind_it_yields_only_its_pixels(name: str) -> None:
    page = b"<script>alert(1)</script>"
    picture = decode_or_refuse(VALID[name] + page)
    assert picture
    assert picture.tobytes() == images.decode(VALID[name]).tobytes()
    assert page not in encode(picture, "PNG")
