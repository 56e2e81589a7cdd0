"""Why a batch of pictures does not pass through a network, and what to do."""

from typing import Any

from torch import nn

from cnnlab.catalog import NETWORKS
from cnnlab.network_spec import LARGEST_IMAGE, too_large
from cnnlab.obstacle import passes


def misfit(model: nn.Module, shape: tuple[int, ...]) -> str | None:
    """Why a batch of this shape does not pass through `model`, and what to do.

    None when the shape is not the reason.
    """
    if len(shape) != 4:
        return (
            f"A batch of shape {shape} was given; it has to have four axes: "
            "pictures, channels, height, width."
        )
    spec = next((s for s in NETWORKS.values() if type(model) is s.network), None)
    given = f"{shape[2]}×{shape[3]}"
    if spec is None:
        return f"A picture of {given} pixels does not pass through this {type(model).__name__}."
    options: Any = model.options
    if shape[1] != options.in_channels:
        return (
            f"This {spec.title} was built for pictures with {options.in_channels} channels; "
            f"{shape[1]} were given. Build it with in_channels={shape[1]}."
        )
    smallest = spec.smallest_image_size(options)
    if min(shape[2:]) < smallest:
        return spec.too_small(options, min(shape[2:]))
    size = getattr(model, "image_size", None) or spec.default_image_size(options)
    twin = spec.build(options, device="meta", image_size=size)
    if passes(twin, shape):
        return None
    if max(shape[2:]) > LARGEST_IMAGE:
        return too_large(spec.title, max(shape[2:]))
    built_for = (
        f"This {spec.title} was built for pictures of {size}×{size} pixels; {given} were given. "
    )
    if shape[2] != shape[3]:
        return built_for + "Crop or resize them to squares."
    return built_for + (
        f"Build it with image_size={shape[2]} "
        f"(the smallest size that works is {smallest}×{smallest})."
    )
