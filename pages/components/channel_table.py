"""What each channel of a layer gives, as a table."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cnnlab.layer_maps import LayerMaps

HEIGHT_PX = 300


def show(maps: LayerMaps, classes: Sequence[str]) -> None:
    """Mean, spread and share of zeros of every channel; its class where channels are classes."""
    found = maps.statistics
    columns: dict[str, object] = {"Channel": range(len(maps.low))}
    if classes:
        columns["Class"] = classes
    columns |= {
        "Mean": found.mean.numpy(),
        "Standard deviation": found.std.numpy(),
        "Zeros": found.zeros.numpy() * 100,
        "Lowest": maps.low.numpy(),
        "Highest": maps.high.numpy(),
    }
    value = st.column_config.NumberColumn(format="%.3g")
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        height=HEIGHT_PX,
        column_config={
            **dict.fromkeys(("Mean", "Standard deviation", "Lowest", "Highest"), value),
            "Zeros": st.column_config.NumberColumn(
                format="%.0f%%", help="Share of values that are exactly zero: ReLU makes them."
            ),
        },
        alt="Mean, standard deviation, share of zeros, lowest and highest value of every channel.",
    )
