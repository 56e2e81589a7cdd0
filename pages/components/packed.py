"""What a component of our own gets: a header and bytes in one message, without base64."""

import json
import struct
from collections.abc import Mapping


def packed(header: Mapping[str, object], payload: bytes) -> bytes:
    """The length of the header, the header as JSON, the payload; maps_js/drawing.js reads it."""
    text = json.dumps(header, allow_nan=False).encode()
    return struct.pack("<I", len(text)) + text + payload
