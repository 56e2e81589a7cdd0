"""Headers of every answer: what a browser may load, embed and tell others."""

import os
import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cnnlab.errors import ConfigError

VARIABLE = "CNNLAB_FRAME_ANCESTORS"
# A host, with or without its scheme, its first part or its port left open; or 'self'.
SOURCE = re.compile(r"'self'|(https?://)?(\*\.)?[A-Za-z0-9.-]+(:(\d+|\*))?")

# Everything comes from this server, nothing from elsewhere. Streamlit sets styles on elements and
# one script in its page, compiles the code of components from text (`blob:`), and Plotly reads its
# pictures back from `data:` and `blob:`.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' blob:",
    "worker-src": "'self' blob:",
    "connect-src": "'self' ws: wss: data: blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}


def policy(ancestors: str | None = None) -> str:
    """The content security policy; `ancestors` may embed the pages besides this server itself.

    Raises: ConfigError for anything but hosts with blanks between them.
    """
    hosts = (ancestors or "'self'").split()
    if wrong := [host for host in hosts if not SOURCE.fullmatch(host)]:
        raise ConfigError(
            f"{VARIABLE} has {wrong[0]!r}; it takes hosts with blanks between them, such as "
            "https://learning.example.org, and 'self' for this server."
        )
    rules = POLICY | {"frame-ancestors": " ".join(hosts)}
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


class ResponseHeaders:
    """Adds them to whatever the app answers. Raises: ConfigError for a wrong CNNLAB_FRAME_…."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._headers = {
            "content-security-policy": policy(os.environ.get(VARIABLE)),
            "x-content-type-options": "nosniff",
            # The address of a shared run holds its secret.
            "referrer-policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)
