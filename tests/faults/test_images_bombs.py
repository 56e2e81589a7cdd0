"""Small files that claim or cost much: refused, or read without the part that costs."""

import struct
import subprocess
import sys
import textwrap
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from cnnlab import image_headers, images
from cnnlab.errors import ImageError
from tests.faults.hostile_pictures import VALID, decode_or_refuse
from tests.picture_files import encode, jpeg_segment, noise, png, png_chunk, png_header, webp

# Claims of enormous size


def claims(width: int, height: int) -> dict[str, bytes]:
    """Files of some 100 bytes whose headers claim a size."""
    jpeg = bytearray(VALID["jpeg_cmyk"])
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", min(height, 65535), min(width, 65535))
    bits = min(width, 16384) - 1 | min(height, 16384) - 1 << 14
    canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return {
        "png": png(png_header(width, height, 8, 6), b"x"),
        "jpeg": bytes(jpeg),
        "webp_lossless": webp(b"VP8L" + struct.pack("<IBI", 5, 0x2F, bits) + b"\0"),
        "webp": webp(
            b"VP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a"
            + struct.pack("<HH", min(width, 16383), min(height, 16383))
        ),
        "webp_canvas": webp(b"VP8X\x0a\0\0\0\x02\0\0\0" + canvas),
    }


@pytest.mark.parametrize(("width", "height"), [(100_000, 100_000), (2**24, 2**24), (16_384, 9_000)])
@pytest.mark.parametrize("name", sorted(claims(1, 1)))
def test_a_tiny_file_claims_to_be_huge(name: str, width: int, height: int) -> None:
    raw = claims(width, height)[name]
    assert len(raw) < 2000
    with pytest.raises(ImageError, match=r"megapixels\. Scale it down"):
        images.decode(raw)


@pytest.mark.parametrize("name", sorted(claims(1, 1)))
def test_a_tiny_file_claims_the_most_that_is_allowed(name: str) -> None:
    picture = decode_or_refuse(claims(6000, 4000)[name])
    # A JPEG that ends early is a whole file to its decoder, which leaves the rest grey.
    assert picture is None or name == "jpeg"


def test_two_headers_in_a_file_are_refused_before_decoding() -> None:
    small, large = png_header(4, 4, 8, 0), png_header(50_000, 50_000, 8, 0)
    pixels = b"\0" * 20
    jpeg = VALID["jpeg_cmyk"]
    at = jpeg.index(b"\xff\xc0")
    frame = jpeg[at : at + 2 + int.from_bytes(jpeg[at + 2 : at + 4])]
    huge = frame[:5] + struct.pack(">HH", 60_000, 60_000) + frame[9:]
    for raw in (
        png(small, pixels, large),
        png(large, pixels, small),
        png(small, pixels, png_chunk(b"IDAT", b""), large),
        jpeg[:at] + huge + jpeg[at:],
        jpeg[:at] + frame + huge + jpeg[at + len(frame) :],
    ):
        with pytest.raises(ImageError, match="damaged"):
            image_headers.read(raw)


@pytest.mark.parametrize("name", VALID)
def test_a_size_that_the_decoder_does_not_confirm(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = image_headers.read(VALID[name])
    monkeypatch.setattr(image_headers, "read", lambda _: replace(header, width=header.width - 1))
    assert decode_or_refuse(VALID[name]) is None


def test_a_webp_frame_larger_than_its_canvas() -> None:
    still = encode(noise(64, 64), "WEBP")[12:]
    canvas = struct.pack("<I", 3)[:3] * 2
    assert decode_or_refuse(webp(b"VP8X\x0a\0\0\0\0\0\0\0" + canvas + still)) is None


# Small files that cost much


def bomb(kind: bytes) -> bytes:
    """A PNG with 9 MB of compressed text or profiles that unfold to 9 GB."""
    body = b"name\0" + (b"\1\0\0\0" if kind == b"iTXt" else b"\0")
    extra = png_chunk(kind, body + zlib.compress(bytes(1_000_000), 9))
    return VALID["png"][:33] + extra * 9000 + VALID["png"][33:]


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"iTXt"])
def test_text_and_profiles_never_reach_the_decoder(kind: bytes) -> None:
    raw = bomb(kind)
    assert 5_000_000 < len(raw) < images.MAX_BYTES
    assert len(image_headers.read(raw).pixel_parts) <= len(VALID["png"])
    picture = decode_or_refuse(raw)
    assert picture
    assert picture.tobytes() == noise(9, 7).tobytes()


def test_exif_and_profiles_of_a_jpeg_never_reach_the_decoder() -> None:
    plain = VALID["jpeg_progressive"]
    # Pillow joins such segments by copying all earlier ones: half a million take it a minute.
    small = jpeg_segment(0xE1, b"Exif\0\0" + b"x" * 10)
    extra = small * 900 + jpeg_segment(0xE2, b"ICC_PROFILE\0\1\1" + b"y" * 60_000)
    raw = plain[:2] + extra + plain[2:]
    assert len(image_headers.read(raw).pixel_parts) <= len(plain)
    assert decode_or_refuse(raw)
    assert decode_or_refuse(plain[:2] + small * 500_000 + plain[2:]) is None


def test_a_jpeg_of_many_scans_is_refused_and_one_of_ordinary_many_is_read() -> None:
    plain = VALID["jpeg_progressive"]
    last = plain[plain.rindex(b"\xff\xda") : -2]
    assert decode_or_refuse(plain[:-2] + last * 20 + b"\xff\xd9")
    assert decode_or_refuse(plain[:-2] + last * 5000 + b"\xff\xd9") is None


def test_a_png_of_many_empty_chunks_is_refused() -> None:
    plain = VALID["png"]
    for kind in (b"IDAT", b"tRNS", b"eXIf", b"abCd"):
        assert decode_or_refuse(plain[:33] + png_chunk(kind, b"") * 800_000 + plain[33:]) is None


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a Linux process")
def test_bombs_do_not_exhaust_memory(tmp_path: Path) -> None:
    """All of them in a process that may take at most 500 MB more than it starts with."""
    largest = Image.new("RGBA", (6000, 4000), (9, 9, 9, 9))
    files = {
        "profiles": bomb(b"iCCP"),
        "texts": bomb(b"zTXt"),
        "pixels": png(png_header(9, 7, 8, 2), bytes(550 * 2**20)),
        "png": encode(largest, "PNG", compress_level=1),
        "webp": encode(largest, "WEBP", lossless=True, method=0, quality=0),
    }
    for name, raw in files.items():
        assert len(raw) < images.MAX_BYTES
        (tmp_path / name).write_bytes(raw)
    script = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        from cnnlab import images
        status = Path("/proc/self/status").read_text()
        now = 1024 * int(status.split("VmSize:")[1].split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (now + 500 * 2**20,) * 2)
        for path in sorted(Path(sys.argv[1]).iterdir()):
            print(path.name, *images.decode(path.read_bytes()).size)
    """)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == [
        "pixels 9 7",
        "png 1024 683",
        "profiles 9 7",
        "texts 9 7",
        "webp 1024 683",
        "",
    ]
