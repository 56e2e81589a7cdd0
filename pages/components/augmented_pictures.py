"""Training pictures as a network sees them: flipped, shifted and tinted anew in every epoch."""

import io
from collections.abc import Mapping

import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from cnnlab import augmented, datasets
from cnnlab.datasets.augment import Augment
from cnnlab.errors import CnnLabError
from cnnlab.training import RunConfig

PICTURES, EPOCHS = 3, 5
# Beside the knobs there is less room.
FEW_PICTURES, FEW_EPOCHS = 2, 4
TILE_PX, GAP_PX = 64, 2


def of_arms(configs: Mapping[str, RunConfig]) -> None:
    """The same pictures as each arm sees them, where the arms see them differently."""
    if not augmented.differ(configs.values()):
        return
    found = {
        name: drawn for name, one in configs.items() if (drawn := strip(one, PICTURES, EPOCHS))
    }
    if not found:
        return
    st.markdown(
        f"**What the arms see.** The same {PICTURES} training pictures, one in each row, in the "
        f"first {EPOCHS} epochs, made by the code that trains."
    )
    with st.container(horizontal=True, key="augmented"):
        for name, drawn in found.items():
            show(drawn, name, PICTURES, EPOCHS)


def of_run(config: RunConfig) -> None:
    """What the next run will see, where its pictures are changed."""
    if config.augment == Augment():
        return
    if drawn := strip(config, FEW_PICTURES, FEW_EPOCHS):
        title = f"{FEW_PICTURES} training pictures in {FEW_EPOCHS} epochs"
        show(drawn, title, FEW_PICTURES, FEW_EPOCHS)


def show(drawn: bytes, title: str, rows: int, columns: int) -> None:
    """A row for each picture, a column for each epoch."""
    st.image(
        drawn,
        width=columns * (TILE_PX + GAP_PX) - GAP_PX,
        caption=title,
        alt=f"{title}: {rows} pictures as they look in {columns} epochs",
    )


def strip(config: RunConfig, pictures: int, epochs: int) -> bytes | None:
    """What a run sees of its first pictures, as a PNG; None where they cannot be had."""
    if datasets.state(config.dataset).status != "ready":
        return None  # the page offers the download
    try:
        return _strip(config, pictures, epochs)
    except CnnLabError as error:
        st.caption(str(error))
        return None


def matters(config: RunConfig) -> str:
    """What decides how pictures look."""
    return config.model_dump_json(include={"dataset", "image_size", "augment", "seed"})


# Drawn once: a page is run again at every click.
@st.cache_data(
    max_entries=200,
    show_spinner="Reading the training pictures…",
    hash_funcs={RunConfig: matters},
)
def _strip(config: RunConfig, pictures: int, epochs: int) -> bytes:
    seen = augmented.as_trained(config, _first_pictures(config.dataset)[:pictures], epochs)
    file = io.BytesIO()
    laid_out(seen).save(file, "PNG")
    return file.getvalue()


@st.cache_resource(max_entries=8, show_spinner=False)
def _first_pictures(dataset: str) -> Tensor:
    return augmented.first_pictures(dataset, PICTURES)


def laid_out(seen: Tensor) -> Image.Image:
    """All of them as one picture; between them the page shows through."""
    rows, columns = seen.shape[:2]
    side = TILE_PX + GAP_PX
    canvas = Image.new("RGBA", (columns * side - GAP_PX, rows * side - GAP_PX))
    pixels = (seen * 255).round().to(torch.uint8).permute(0, 1, 3, 4, 2).squeeze(-1).numpy()
    for row in range(rows):
        for column in range(columns):
            tile = Image.fromarray(pixels[row, column]).convert("RGB")
            tile = tile.resize((TILE_PX, TILE_PX), Image.Resampling.BICUBIC)
            canvas.paste(tile, (column * side, row * side))
    return canvas
