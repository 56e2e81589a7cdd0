"""Probe: what the network makes of one picture of the reader's while it learns."""

import base64
import binascii
import io
from collections.abc import Generator
from functools import lru_cache
from typing import Annotated, Literal, Self

import torch
from PIL import Image
from pydantic import AfterValidator, Field
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from cnnlab import images
from cnnlab.errors import ConfigError, ImageError
from cnnlab.hooks import evaluating, watching
from cnnlab.training.probes.probe import Observed, Probe, Readings

# The picture travels with the configuration: to the worker, into the store, into a notebook.
MAX_CHARACTERS = 100_000
# A PNG with this side fits whatever it shows.
MAX_SIDE = 144
LAYERS, MAPS, SIDE, UNITS = 4, 16, 32, 256


def checked(text: str) -> str:
    """A picture file as base64. Raises: ConfigError where it is none, or too large."""
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(
            f"probes: the picture has {len(text):,} characters as base64; up to "
            f"{MAX_CHARACTERS:,} are allowed. Scale it down to {MAX_SIDE} pixels."
        )
    try:
        _decoded(text)
    except (binascii.Error, ValueError, ImageError) as error:
        raise ConfigError(
            f"probes: the picture cannot be read ({error}). Give a PNG, JPEG or WebP file, as "
            "base64."
        ) from None
    return text


class PictureProbe(Probe):
    """Class scores of one picture, and what chosen layers make of it, in prediction mode.

    `values` of the whole network: `scores`, one share for each class. Of each chosen layer:
    `maps`, packed, shape (up to 16 channels, up to 32, up to 32), averaged where the layer has
    more pixels; or `units`, up to 256 numbers, where it has no maps.
    """

    kind: Literal["picture"] = "picture"
    image: Annotated[str, AfterValidator(checked)] = Field(
        description="A PNG, JPEG or WebP file as base64."
    )
    layers: tuple[str, ...] = Field((), max_length=LAYERS, description="Layers whose maps to keep.")

    @classmethod
    def of(cls, picture: Image.Image, **fields: object) -> Self:
        """The probe for a picture, scaled down so that it can travel along."""
        small = picture.convert("RGB")
        small.thumbnail((MAX_SIDE, MAX_SIDE))
        file = io.BytesIO()
        small.save(file, "PNG")
        return cls.model_validate(fields | {"image": base64.b64encode(file.getvalue()).decode()})

    @property
    def picture(self) -> Image.Image:
        """The picture as it travels along."""
        return _decoded(self.image)

    def check(self, model: nn.Module) -> None:
        there = [path for path, _ in model.named_modules() if path]
        for layer in self.layers:
            if layer not in there:
                raise ConfigError(
                    f"probes: this network has no layer {layer!r}. It has {', '.join(there[:12])}"
                    f"{' and more' if len(there) > 12 else ''}."
                )

    def observe(self, run: Observed) -> Generator[None, None, Readings]:
        yield
        yield
        outputs: dict[str, Tensor] = {}

        def note(path: str, _module: nn.Module, _input: Tensor, output: Tensor) -> None:
            outputs[path] = output[0].float()

        chosen = [(path, m) for path, m in run.model.named_modules() if path in self.layers]
        batch = run.as_input(self.picture)
        with evaluating(run.model), torch.inference_mode(), watching(chosen, note):
            scores = run.logits(batch)[0].float().softmax(0)
            kept = {path: _small(output) for path, output in outputs.items()}
        return {"": {"scores": scores}, **kept}


def _small(output: Tensor) -> dict[str, Tensor]:
    if output.dim() != 3:
        return {"units": output.flatten()[:UNITS].clone()}
    maps = output[:MAPS]
    height, width = (min(side, SIDE) for side in maps.shape[1:])
    return {"maps": adaptive_avg_pool2d(maps, (height, width)).clone()}


@lru_cache(maxsize=16)
def _decoded(text: str) -> Image.Image:
    return images.decode(base64.b64decode(text, validate=True))
