"""The player of a run: what it made of a picture and its first kernels, step by step."""

from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL.Image import Image
from streamlit.components.v2.types import ComponentRenderer

from cnnlab import catalog, images
from cnnlab.colour_maps import DIVERGING, SEQUENTIAL, ColourMap
from cnnlab.datasets import DATASETS
from cnnlab.runs.playback import Playback, Strip
from cnnlab.runs.store import ACTIVE, RunRecord
from cnnlab.trace import trace_of
from cnnlab.training import RunConfig
from pages.components import maps_component
from pages.components.charts import SERIES
from pages.components.colour_bar import number
from pages.components.packed import packed

FOLDER = Path(__file__).with_name("playback_js")
# Among the weights of a kernel grey is zero.
GREYS = ColourMap("greys", ("#000000", "#ffffff"))
PALETTES = {colours.name: colours for colours in (DIVERGING, SEQUENTIAL, GREYS)}
# So many classes are drawn, those that ever had the largest shares.
CLASSES = 10


def component() -> ComponentRenderer:
    """The player, with what the components of the feature maps draw with as well."""
    html, css, script = (
        (FOLDER / f"playback.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    shared = (maps_component.FOLDER / "drawing.js").read_text(encoding="utf-8")
    return st.components.v2.component("cnnlab_playback", html=html, css=css, js=shared + script)


PLAYER = component()


def message(run: RunRecord, picture: Image, found: Playback) -> bytes:
    """All that the player needs: what to write, and the codes of values."""
    config = run.config
    seen = np.ascontiguousarray(as_seen(config, picture))
    kernels = [(found.kernels, f"Kernels of {found.kernels.layer}")] if found.kernels else []
    drawn = [(strip, title(config, strip)) for strip in found.layers] + kernels
    strips, offset = [], seen.size
    for strip, words in drawn:
        strips.append(described(strip, words, offset))
        offset += strip.codes.size
    if kernels:
        strips[-1]["palette"] = GREYS.name
    parts = [seen, *(strip.codes for strip, _ in drawn)]
    header = {
        "id": run.id,
        "live": run.status in ACTIVE,
        "title": f"{run.name}, step by step",
        "steps": found.steps,
        "end": run.environment.get("steps", found.steps[-1]),
        "seen": {
            "title": "What the network sees",
            "side": seen.shape[0],
            "colours": seen.shape[2],
            "offset": 0,
        },
        "layers": strips[: len(found.layers)],
        "kernels": strips[-1] if kernels else None,
        "palettes": {name: colours.colours for name, colours in PALETTES.items()},
        **classes(config, found),
    }
    return packed(header, b"".join(part.tobytes() for part in parts))


def as_seen(config: RunConfig, picture: Image) -> NDArray[np.uint8]:
    """What reaches the network. Shape: uint8 (side, side, 1 or 3)."""
    channels = 3 if config.options.in_channels == 3 else 1
    batch = images.to_batch(picture, config.image_size, channels)
    return (batch[0] * 255).round().byte().permute(1, 2, 0).numpy()


def title(config: RunConfig, strip: Strip) -> str:
    """Which layer it is, and how much of it is drawn."""
    shape = trace_of(catalog.network(config.network), config.options, config.image_size).shapes[
        strip.layer
    ]
    if len(shape) == 2:
        return f"{strip.layer}: {shape[1]:,} units"
    tiles = strip.codes.shape[1]
    return f"{strip.layer}: {tiles} of {shape[1]:,} channels, {shape[2]}×{shape[3]}"


def described(strip: Strip, words: str, offset: int) -> dict[str, object]:
    """A strip as the player reads it; its codes begin at `offset`."""
    _, tiles, height, width, colours = strip.codes.shape
    return {
        "title": words,
        "tiles": tiles,
        "height": height,
        "width": width,
        "colours": colours,
        # A layer without height and width is one tile.
        "units": tiles == 1,
        "frames": strip.frames,
        "low": [number(value) for value in strip.low],
        "high": [number(value) for value in strip.high],
        "palette": (DIVERGING if strip.signed else SEQUENTIAL).name,
        "offset": offset,
    }


def classes(config: RunConfig, found: Playback) -> dict[str, object]:
    """The shares of the classes, and how their lines look."""
    names = DATASETS[config.dataset].class_names
    shown = np.sort(np.argsort(-found.scores.max(0), kind="stable")[:CLASSES]).tolist()
    shares = np.nan_to_num(found.scores[:, shown]).round(3)
    return {
        "names": [names[place] for place in shown],
        "scores": shares.tolist(),
        "colours": [SERIES[place % len(SERIES)] for place in range(len(shown))],
        "dashed": [place >= len(SERIES) for place in range(len(shown))],
        "lines": "The share of each class against the steps; the bars say it in numbers.",
    }
