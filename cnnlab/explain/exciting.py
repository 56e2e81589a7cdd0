"""The test pictures that excite the channels of a layer most, from one bounded pass."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnlab import features, pass_price
from cnnlab.datasets.augment import Augment, prepare
from cnnlab.errors import ConfigError
from cnnlab.trace import Trace

# What the pass may take: 10 seconds of a slow core.
MOST_MACS = 100 * 10**9
MOST_PICTURES, FEWEST_PICTURES = 500, 50
# Pictures at once: few, for the maps of the first layers are large.
AT_ONCE = 10
KEPT = 9


@dataclass(frozen=True)
class Exciting:
    """Of each channel the pictures in which it was strongest somewhere, the strongest first.

    `places` are that pixel's row and column in the channel's map.

    Shape: `values` and `pictures` (C, K), `places` (C, K, 2).
    """

    values: Tensor
    pictures: Tensor
    places: Tensor
    seen: int
    map_size: tuple[int, int]

    @property
    def nbytes(self) -> int:
        return sum(t.numel() * t.element_size() for t in (self.values, self.pictures, self.places))


def affordable_pictures(trace: Trace) -> int:
    """How many pictures are looked at. Raises: ConfigError where that would be too few."""
    pass_price.check_price(trace)
    macs = sum(node.macs for node in trace.nodes)
    count = min(MOST_PICTURES, MOST_MACS // max(1, macs))
    if count < FEWEST_PICTURES:
        raise ConfigError(
            f"One picture takes {macs / 1e9:,.1f} billion multiplications in this network: only "
            f"{count} could be looked at, and fewer than {FEWEST_PICTURES} say little. Choose a "
            "narrower network or a smaller input."
        )
    return count


def most_exciting(model: nn.Module, layer: str, images: Tensor, image_size: int) -> Exciting:
    """Look for the strongest value of each channel of a layer in each picture.

    Shape: `images` uint8 (N, C, H, W). Units: `image_size` pixels per side.
    Raises: ConfigError when the layer makes no maps or the pictures do not fit.
    """
    values: list[Tensor] = []
    pixels: list[Tensor] = []
    size = (0, 0)

    def note(_name: str, maps: Tensor) -> None:
        nonlocal size
        size = (maps.shape[2], maps.shape[3])
        found = torch.nan_to_num(maps.float()).flatten(2).max(2)
        values.append(found.values)
        pixels.append(found.indices)

    unused = torch.Generator()
    for some in images.split(AT_ONCE):
        features.visit(model, prepare(some, image_size, Augment(), unused), note, [layer])
    if not values:
        raise ConfigError(f"{layer} makes no maps: choose a layer with height and width.")
    best = torch.cat(values).topk(min(KEPT, len(images)), dim=0)
    where = torch.cat(pixels).gather(0, best.indices)
    places = torch.stack([where // size[1], where % size[1]], -1)
    return Exciting(
        best.values.T.contiguous(),
        best.indices.T.contiguous(),
        places.transpose(0, 1).contiguous(),
        len(images),
        size,
    )
