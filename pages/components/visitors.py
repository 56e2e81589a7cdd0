"""Who is who: a random name for every browser, and which of them have a page open."""

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.components.base_path import below

VISITOR_COOKIE = "cnnlab_visitor"
ONE_YEAR_S = 365 * 24 * 3600
# What `secrets.token_urlsafe` makes: anything else is no name that was given here.
NAME = re.compile(r"[A-Za-z0-9_-]{16,64}")
# Of these nobody is told a name: shared caches may keep the first, and machines ask for the second.
NO_PAGES = ("/static/", "/_stcore/", "/media/", "/component/", "/health")

CONDITIONS = (b"if-none-match", b"if-modified-since")


class VisitorCookie:
    """Gives every browser a random name, so that a reload finds its runs again.

    With pages only: a file that a proxy keeps for everybody must not carry somebody's name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or visitor(scope) or below(scope["path"]).startswith(NO_PAGES):
            await self.app(scope, receive, send)
            return
        # "Not modified" is no page, and carries no cookie.
        asked = [header for header in scope["headers"] if header[0] not in CONDITIONS]
        scope = {**scope, "headers": asked}
        secure = "; Secure" if scope.get("scheme") == "https" else ""

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and is_page(message):
                headers = MutableHeaders(scope=message)
                headers["cache-control"] = "no-store"
                headers.add_vary_header("cookie")
                headers.append(
                    "set-cookie",
                    f"{VISITOR_COOKIE}={secrets.token_urlsafe(16)}; Path=/; HttpOnly; "
                    f"SameSite=Lax; Max-Age={ONE_YEAR_S}{secure}",
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
        name = visitor(scope) if scope["type"] == "websocket" else None
        if name is None:
            await self.app(scope, receive, send)
            return
        from pages.components import services

        manager = services.run_manager()
        manager.arrived(name)
        try:
            await self.app(scope, receive, send)
        finally:
            manager.left(name)


def visitor(scope: Scope) -> str | None:
    """The name that a browser was given here; None where it has none.

    Other cookies of the domain may be anything: each is read for itself.
    """
    given = "; ".join(Headers(scope=scope).getlist("cookie"))
    return named(cookie_parser(given).get(VISITOR_COOKIE))


def named(found: object) -> str | None:
    """A visitor's name, where what was found is one."""
    return found if isinstance(found, str) and NAME.fullmatch(found) else None


def is_page(message: Message) -> bool:
    """Whether an answer is a page for a reader."""
    kind = Headers(raw=message["headers"]).get("content-type", "")
    return bool(message["status"] == 200 and kind.startswith("text/html"))
