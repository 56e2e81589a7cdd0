"""The Feature maps view: what each layer makes of the reader's picture."""

import math

import numpy as np
import pandas as pd
import streamlit as st
import torch
from PIL import Image
from torch import nn

from cnnlab import features, images
from cnnlab.catalog import NETWORKS, NetworkSpec, Section
from cnnlab.errors import CnnLabError
from cnnlab.layer_csv import shape_text
from pages.components import architecture, panel, run_names, services, state

MOSAIC_PX = 720
LARGE_PX = 320
FRESH = "fresh"


def show(section: Section, spec: NetworkSpec) -> None:
    """Picture and weights on the left, the maps of one layer on the right."""
    side, content = panel.columns()
    try:
        with side:
            picture, credit = choose_picture()
            preview = st.container()
            model, channels, image_size = choose_model(section, spec)
            batch = images.to_batch(picture, image_size, channels)
            size = f"{image_size}×{image_size} pixels"
            seen = f"What the network sees: {size}"
            preview.image(as_picture(batch), width="stretch", caption=seen, alt=seen)
            if credit:
                preview.caption(credit)
        with content:
            maps = features.extract(model, batch)
            show_layer(maps)
    except CnnLabError as error:
        content.error(str(error), icon=":material/image_not_supported:")


def choose_picture() -> tuple[Image.Image, str]:
    """A sample, an upload or a photo, and its credit; the sample stays until there is another."""
    way = st.segmented_control(
        "Picture",
        ["Sample", "Upload", "Photo"],
        default="Sample",
        required=True,
        key="picture_from",
        persist_state="session",
        width="stretch",
    )
    samples = {sample.name: sample for sample in images.samples()}
    raw = None
    if way == "Upload":
        file = st.file_uploader(
            "Your picture",
            type=["png", "jpg", "jpeg", "webp"],
            key="upload",
            help="PNG, JPEG or WebP, up to 10 MB.",
        )
        raw = file.getvalue() if file else None
    elif way == "Photo":
        file = st.camera_input("Your photo", key="camera")
        raw = file.getvalue() if file else None
    if raw is not None:
        return decoded(raw), ""
    if way != "Sample":
        st.caption("Until then you see the sample picture.")
    name = st.selectbox(
        "Sample picture",
        list(samples),
        format_func=lambda name: samples[name].title,
        key="sample",
        bind="query-params",
        disabled=way != "Sample",
    )
    return decoded(samples[name].path.read_bytes()), samples[name].credit


@st.cache_data(max_entries=16, show_spinner=False)
def decoded(raw: bytes) -> Image.Image:
    return images.decode(raw)


def choose_model(section: Section, spec: NetworkSpec) -> tuple[nn.Module, int, int]:
    """The network with fresh weights or those of a run; its input channels and size."""
    runs = {
        run.id: run
        for run in services.store().runs(state.visitor())
        if run.weights and run.network == spec.name
    }
    names = run_names.distinct(list(runs.values()))
    chosen = st.selectbox(
        "Weights",
        [FRESH, *runs],
        format_func=lambda key: "Fresh, drawn from a seed" if key == FRESH else names[key],
        key=f"weights.{spec.name}",
        help="Fresh weights are random. Weights of your own runs appear here after training.",
    )
    if chosen != FRESH:
        config = runs[chosen].config
        return (
            services.trained_model(str(runs[chosen].weights)),
            config.options.in_channels,
            config.image_size,
        )
    seed = int(st.number_input("Seed of the weights", 0, 9999, 0, key="weights_seed"))
    configured = architecture.configure(section, spec)
    NETWORKS[spec.name].check_image_size(configured.options, configured.image_size)
    options = configured.options
    model = services.fresh_model(spec.name, options, configured.image_size, seed)
    return model, options.in_channels, configured.image_size


def show_layer(maps: dict[str, torch.Tensor]) -> None:
    """One layer's channels as a mosaic, one of them enlarged, and their statistics."""
    names = list(maps)
    layer = st.select_slider(
        "Layer",
        names,
        format_func=lambda name: f"{name} ({shape_text(tuple(maps[name].shape[1:]), ' × ')})",
        key="layer",
        help="Channels × height × width, in the order in which they run.",
    )
    chosen = maps[layer][0]
    mosaic_place, detail = st.columns([2, 1])
    with detail:
        channel = choose_channel(len(chosen))
        one = f"Channel {channel}"
        st.image(enlarged(chosen[channel]), width="stretch", caption=one, alt=one)
    with mosaic_place:
        all_of_them = f"All {len(chosen)} channels of {layer}"
        st.image(mosaic(chosen), width="stretch", caption=all_of_them, alt=all_of_them)
    statistics(chosen, detail)


def choose_channel(channels: int) -> int:
    if channels == 1:
        return 0
    return int(st.slider("Channel", 0, channels - 1, 0, key=f"channel.{channels}"))


def mosaic(maps: torch.Tensor) -> np.ndarray:
    columns = math.ceil(math.sqrt(len(maps)))
    return features.mosaic(maps, columns, tile=max(8, MOSAIC_PX // columns - 2))


def enlarged(channel: torch.Tensor) -> np.ndarray:
    return features.mosaic(channel[None], columns=1, tile=LARGE_PX)


def statistics(maps: torch.Tensor, place: st.delta_generator.DeltaGenerator) -> None:
    """Mean, spread and share of zeros of every channel."""
    found = features.channel_statistics(maps)
    table = pd.DataFrame(
        {
            "Channel": range(len(maps)),
            "Mean": found.mean.numpy(),
            "Std": found.std.numpy(),
            "Zeros": found.zeros.numpy() * 100,
        }
    )
    place.dataframe(
        table,
        hide_index=True,
        height=300,
        column_config={
            "Mean": st.column_config.NumberColumn(format="%.3f"),
            "Std": st.column_config.NumberColumn(
                format="%.3f", help="Standard deviation over the channel's pixels."
            ),
            "Zeros": st.column_config.NumberColumn(
                format="%.0f%%", help="Share of values that are exactly zero: ReLU makes them."
            ),
        },
    )


def as_picture(batch: torch.Tensor) -> np.ndarray:
    pixels = (batch[0, : 3 if batch.shape[1] >= 3 else 1] * 255).round().to(torch.uint8)
    return pixels.permute(1, 2, 0).squeeze(-1).numpy()
