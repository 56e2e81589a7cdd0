"""The values of a measurement: numbers, lists of numbers, and arrays in half precision.

What a step leaves behind lies on the device; all of it comes over in one copy.
"""

import base64
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from torch import Tensor

# More digits would only make a measurement larger; no chart shows them.
DIGITS = 5


class Packed(BaseModel):
    """An array of two or more axes: float16 in memory order, little-endian, as base64."""

    model_config = ConfigDict(frozen=True)

    shape: tuple[int, ...]
    float16: str


Value = int | float | list[int] | list[float] | Packed
Values = dict[str, Value]


def unpack(value: Packed) -> NDArray[np.float16]:
    """The array that `pack` packed."""
    return np.frombuffer(base64.b64decode(value.float16), "<f2").reshape(value.shape)


def pack(array: NDArray[np.floating]) -> Packed:
    """An array as text; numbers that half precision cannot hold become its largest."""
    largest = np.finfo(np.float16).max
    half = np.clip(array, -largest, largest).astype("<f2")
    return Packed(shape=array.shape, float16=base64.b64encode(half.tobytes()).decode())


def fetch(readings: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Values]:
    """Tensors by layer and name as values, with one copy from the device."""
    with torch.no_grad():
        rows = [t.reshape(-1) for tensors in readings.values() for t in tensors.values()]
        # Counts become numbers with a fraction, as they lie among such; they are small enough.
        flat = torch.cat(rows).float().cpu().numpy() if rows else np.empty(0, np.float32)
    digits, begin = shortened(flat), 0
    found: dict[str, Values] = {}
    for layer, tensors in readings.items():
        found[layer] = {}
        for name, tensor in tensors.items():
            part = slice(begin, begin + tensor.numel())
            found[layer][name] = _value(tensor, flat[part], digits[part])
            begin = part.stop
    return found


def shortened(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The numbers with as many digits as are kept."""
    wide = values.astype(np.float64)
    size = np.abs(wide, where=np.isfinite(wide), out=np.ones_like(wide))
    places = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.maximum(size, 1e-300))))
    return np.where(np.isfinite(wide) & (size > 1e-290), np.round(wide * places) / places, wide)


def _value(tensor: Tensor, exact: NDArray[np.float32], digits: NDArray[np.float64]) -> Value:
    if tensor.dim() >= 2:
        return pack(exact.reshape(tensor.shape))
    numbers = digits if tensor.is_floating_point() else exact.astype(np.int64)
    listed: list[int] | list[float] = numbers.reshape(-1).tolist()
    return listed if tensor.dim() else listed[0]
