"""Start of the server, once, before the first visitor."""

import gc
import importlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie

import streamlit as st
import torch
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime.pages_manager import PagesManager

from cnnlab import catalog
from cnnlab.summary import summarize

VISITOR_COOKIE = "cnnlab_visitor"
ONE_YEAR_S = 365 * 24 * 3600


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


class VisitorCookie:
    """Gives every browser a random name, so that a reload finds its runs again."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or VISITOR_COOKIE in _cookies(scope):
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append(
                    "set-cookie",
                    f"{VISITOR_COOKIE}={secrets.token_urlsafe(16)}; Path=/; HttpOnly; "
                    f"SameSite=Lax; Max-Age={ONE_YEAR_S}",
                )
            await send(message)

        await self.app(scope, receive, send_with_cookie)


class OpenTabs:
    """Tells the run manager who has a page open: as long as a tab is open, so is its connection.

    A frozen tab keeps its connection, and a network that falls silent is noticed by its pings.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cookie = _cookies(scope).get(VISITOR_COOKIE) if scope["type"] == "websocket" else None
        if cookie is None:
            await self.app(scope, receive, send)
            return
        from pages.components import services

        manager = services.run_manager()
        manager.arrived(cookie.value)
        try:
            await self.app(scope, receive, send)
        finally:
            manager.left(cookie.value)


def _cookies(scope: Scope) -> SimpleCookie:
    headers = dict(scope["headers"])
    return SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))


MIDDLEWARE = [Middleware(VisitorCookie), Middleware(OpenTabs)]
