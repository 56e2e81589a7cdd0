"""On which pictures an experiment is run: drawn shapes, or Fashion-MNIST."""

import streamlit as st

from cnnlab import datasets
from cnnlab.datasets import DATASETS
from pages.components import data_state, state

# The first is on every machine.
OFFERED = ("shapes", "fashion_mnist")
KEY = "experiment_pictures"
KEPT = "experiment_pictures.kept"


def chosen() -> str:
    """What the reader chose last, on whichever card."""
    found = state.get(KEPT)
    return found if isinstance(found, str) and found in OFFERED else OFFERED[0]


def choice() -> bool:
    """Let the reader choose; whether the pictures are there."""
    name = st.segmented_control(
        "Pictures",
        OFFERED,
        default=chosen(),
        required=True,
        format_func=title,
        key=KEY,
        help="Shapes are drawn here and are on every machine. On the clothes of Fashion-MNIST, "
        "which are photographs, differences are often larger.",
    )
    state.put(KEPT, name)
    return data_state.offer(chosen())


def others(used: str) -> list[str]:
    """On which other pictures it can be run at once."""
    ready = [name for name in OFFERED if datasets.state(name).status == "ready"]
    return [name for name in ready if name != used]


def title(name: str) -> str:
    return DATASETS[name].title
