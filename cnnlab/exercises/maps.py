"""Statistics of feature maps that exercises speak of."""

from torch import Tensor
from torch.nn.functional import interpolate

from cnnlab.exercises.measures import Maps, OfMaps


def share_of_zeros(layer: str) -> OfMaps:
    """How many of a layer's values are exactly zero."""
    return OfMaps(
        f"share of zeros in {layer}", lambda maps, _: float((maps[layer] == 0).float().mean())
    )


def smallest(layer: str) -> OfMaps:
    """The smallest value of a layer's maps."""
    return OfMaps(
        f"smallest value of {layer}", lambda maps, _: float(maps[layer].min()), format=".3f"
    )


def likeness(layer: str) -> OfMaps:
    """How far the picture is recognized in the best channel: its correlation with the picture."""
    return OfMaps(
        f"correlation of {layer} with the picture",
        lambda maps, picture: best_correlation(maps[layer], picture),
    )


def best_correlation(maps: Tensor, picture: Tensor) -> float:
    """The largest correlation, of either sign, of a channel enlarged to the picture's size.

    Shape: maps (1, C, h, w), picture (1, channels, H, W).
    """
    large = interpolate(maps, size=picture.shape[2:], mode="bilinear")[0].flatten(1).double()
    grey = picture[0].mean(0).flatten().double()
    large, grey = large - large.mean(1, keepdim=True), grey - grey.mean()
    size = large.norm(dim=1) * grey.norm()
    # A constant channel is like nothing.
    return float(((large @ grey).abs() / size.clamp_min(1e-12)).max())


def roughness(layer: str, trained: bool = False) -> OfMaps:
    """How much neighbouring pixels of a layer's maps differ, against the maps' spread."""
    return OfMaps(
        f"difference of neighbouring pixels in {layer}",
        lambda maps, _: neighbour_difference(maps[layer]),
        trained,
    )


def neighbour_difference(maps: Tensor) -> float:
    """Mean over channels of the mean absolute step between neighbours, in standard deviations.

    Shape: (1, C, h, w); channels that are constant are left out.
    """
    channels = maps[0]
    steps = channels.diff(dim=1).abs().mean((1, 2)) + channels.diff(dim=2).abs().mean((1, 2))
    spread = channels.flatten(1).std(1)
    varied = spread > 1e-6
    return float((steps[varied] / spread[varied]).mean())


def change(before: str, after: str, channels: int | None = None, trained: bool = False) -> OfMaps:
    """How far a layer's maps lie from those of one before, in parts of their size.

    Of the later layer only the first `channels` are looked at, where that is given.
    """

    def read(maps: Maps, _picture: Tensor) -> float:
        old, new = maps[before], maps[after][:, :channels]
        return float((new - old).norm() / old.norm())

    what = after if channels is None else f"the first {channels} channels of {after}"
    when = " after a run" if trained else ""
    return OfMaps(f"change from {before} to {what}{when}", read, trained)


def quotient(one: OfMaps, other: OfMaps) -> OfMaps:
    """How many times a statistic is another one, in the same maps."""
    return OfMaps(
        f"{one.name} / {other.name}",
        lambda maps, picture: one.read(maps, picture) / other.read(maps, picture),
        one.trained,
    )
