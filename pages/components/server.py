"""Start of the server, once, before the first visitor."""

import gc
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
import torch
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from streamlit.runtime.pages_manager import PagesManager

from cnnlab import allocator, catalog
from cnnlab.jobs.health import Health
from cnnlab.summary import summarize
from pages.components import garbage
from pages.components.base_path import base_path
from pages.components.response_headers import ResponseHeaders
from pages.components.uploads import UploadLimit
from pages.components.visitors import OpenTabs, VisitorCookie


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Prepare the process, and end the workers when the server stops."""
    # A folder named `pages` switches Streamlit to its older page discovery until somebody has
    # opened the front page; see docs/adr/0001-page-routing.md.
    PagesManager.uses_pages_directory = False
    allocator.few_heaps()
    import_heavy_modules()
    garbage.collect_seldom()
    # Beside a run, two threads wait for each other: a pass through ResNet-18 took five times as
    # long with two as with one; see docs/adr/0005-waiting-threads.md.
    torch.set_num_threads(1)
    from pages.components import services

    services.run_manager()
    yield
    services.run_manager().close()


async def health(_request: Request) -> Response:
    """How the server stands, as JSON; it answers although something is wrong."""
    from pages.components import services

    # The line is read from the store, which may have to wait for a disk.
    found = await run_in_threadpool(lambda: Health.of(services.run_manager()))
    headers = {"cache-control": "no-store"}
    return Response(found.model_dump_json(), media_type="application/json", headers=headers)


def import_heavy_modules() -> None:
    """Import once what every page needs, and hide it from the garbage collector.

    Streamlit collects garbage after script runs. Walking through all of PyTorch each time costs
    0.2 s; frozen objects are skipped.
    """
    for name in ("torchvision", "plotly.graph_objects", "pages.components.section"):
        importlib.import_module(name)
    # PyTorch loads more on first use, which would cost the first visitor a second.
    summarize(catalog.build("lenet"), (1, 1, 28, 28))
    gc.collect()
    gc.freeze()


# Whoever asks the server itself knows of no path, and a proxy passes on only what is below it.
ROUTES = [Route(path, health) for path in dict.fromkeys(("/health", f"{base_path()}/health"))]
MIDDLEWARE = [
    Middleware(ResponseHeaders),
    Middleware(UploadLimit),
    Middleware(VisitorCookie),
    Middleware(OpenTabs),
]
