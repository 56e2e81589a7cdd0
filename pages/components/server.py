"""Start of the server, once, before the first visitor."""

import gc
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
import torch
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from cnnlab import catalog
from cnnlab.summary import summarize
from pages.components.response_headers import ResponseHeaders
from pages.components.uploads import UploadLimit
from pages.components.visitors import OpenTabs, VisitorCookie


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Prepare the process, and end the workers when the server stops."""
    # A folder named `pages` switches Streamlit to its older page discovery until somebody has
    # opened the front page; see docs/adr/0001-page-routing.md.
    PagesManager.uses_pages_directory = False
    import_heavy_modules()
    # Beside a run, two threads wait for each other: a pass through ResNet-18 took five times as
    # long with two as with one; see docs/adr/0005-waiting-threads.md.
    torch.set_num_threads(1)
    from pages.components import services

    services.run_manager()
    yield
    services.run_manager().close()


def import_heavy_modules() -> None:
    """Import once what every page needs, and hide it from the garbage collector.

    Streamlit collects garbage after every script run. Walking through all of PyTorch each
    time costs 0.2 s; frozen objects are skipped.
    """
    for name in ("torchvision", "plotly.graph_objects", "pages.components.section"):
        importlib.import_module(name)
    # PyTorch loads more on first use, which would cost the first visitor a second.
    summarize(catalog.build("lenet"), (1, 1, 28, 28))
    gc.collect()
    gc.freeze()


MIDDLEWARE = [
    Middleware(ResponseHeaders),
    Middleware(UploadLimit),
    Middleware(VisitorCookie),
    Middleware(OpenTabs),
]
