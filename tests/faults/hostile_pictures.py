"""Valid files to damage, and the check that decoding has one of its two allowed outcomes."""

import re

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
